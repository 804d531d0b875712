// What is told of work that goes on, by a clock that the test sets.
#include "tools/common/pace.h"

#include <memory>
#include <string>

#include "doctest/doctest.h"

namespace glint::tools {
namespace {

TEST_CASE("pace: nothing in the first two seconds, nor before anything is done") {
  double now = 100;
  const Pace pace("picture", [&] { return now; });
  CHECK(pace.Text(0.5, 1, 5) == "");
  now = 102;
  CHECK(pace.Text(0.5, 1, 5) == "");
  now = 102.5;
  CHECK(pace.Text(0, 1, 0) == "");
  CHECK(pace.Text(0.5, 1, 5) == ", 2.0 pictures/s, 3 s left");
  CHECK(pace.seconds() == 2.5);
}

TEST_CASE("pace: time left is that of the work, not of the count") {
  double now = 0;
  const Pace pace("picture", [&] { return now; });
  now = 10;
  CHECK(*pace.SecondsLeft(1, 4) == doctest::Approx(30));
  CHECK(pace.Text(1, 4, 30) == ", 3.0 pictures/s, 30 s left");
  CHECK(pace.Text(1, 4, 4) == ", 2.5 s a picture, 30 s left");
  CHECK(pace.Text(4, 4, 40) == ", 4.0 pictures/s, 0 s left");
  now = 3000;
  CHECK(pace.Text(1, 4, 1) == ", 3000.0 s a picture, 2 h 30 min left");
}

TEST_CASE("pace: what was done before costs no time and is no rate") {
  double now = 0;
  Pace pace("stream", [&] { return now; });
  pace.Skip(50, 500);
  now = 10;
  CHECK(pace.Text(50, 100, 500) == "");
  CHECK(*pace.SecondsLeft(75, 100) == doctest::Approx(10));
  CHECK(pace.Text(75, 100, 520) == ", 2.0 streams/s, 10 s left");
  pace.Skip(20, 0);
  CHECK(*pace.SecondsLeft(75, 100) == doctest::Approx(50));
}

TEST_CASE("pace: megapixels are by the second, and no noun is no rate") {
  double now = 0;
  const Pace pixels("MP", [&] { return now; });
  const Pace plain("", [&] { return now; });
  now = 4;
  CHECK(pixels.Text(0.5, 1, 1) == ", 0.25 MP/s, 4 s left");
  CHECK(pixels.Text(0.5, 1, 0) == ", 4 s left");
  CHECK(pixels.Text(0.5, 1, 80) == ", 20.0 MP/s, 4 s left");
  CHECK(plain.Text(0.5, 1, 80) == ", 4 s left");
}

}  // namespace
}  // namespace glint::tools
