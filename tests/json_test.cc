// JSON from files: what is read, how much of it, and the messages that refuse the rest.
#include "engine/json.h"

#include <doctest/doctest.h>

#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "tests/seed.h"
#include "tests/test_json.h"

namespace glint {
namespace {

using testing::AsRead;

// What takes no memory cannot fail for want of it, in a destructor least of all.
static_assert(std::is_nothrow_destructible_v<Json>);
static_assert(std::is_nothrow_move_constructible_v<Json>);
static_assert(std::is_nothrow_move_assignable_v<Json>);

std::string Refusal(const std::string& text) {
  const Result<Json> parsed = ParseJson(text, "here");
  if (parsed.ok()) return "";
  CHECK(parsed.status().code() == StatusCode::kBadModel);
  return parsed.status().message();
}

std::string DrawText(std::mt19937* random) {
  // Some that need escapes, some of several bytes.
  static const std::vector<std::string> kParts = {
      "a", "b", "key", "\"",   "\\", "\n",   "{[", ",",
      "]", "é", "\t",  "\x01", "/",  "\x7f", "😀",  std::string(1, '\0')};
  std::string text;
  for (auto n = (*random)() % 4; n > 0; --n) text += kParts[(*random)() % kParts.size()];
  return text;
}

testing::Json DrawValue(std::mt19937* random, int depth) {
  const auto kind = (*random)() % (depth > 0 ? 8 : 6);
  if (kind == 0) return nullptr;
  if (kind == 1) return (*random)() % 2 == 0;
  if (kind == 2) return static_cast<int64_t>((*random)()) - (int64_t{1} << 31);
  if (kind == 3) return std::normal_distribution<double>(0, 1e3)(*random);
  if (kind == 4) return std::numeric_limits<uint64_t>::max() - (*random)() % 3;
  if (kind == 5) return DrawText(random);
  testing::Json value = kind == 6 ? testing::Json::array() : testing::Json::object();
  for (auto n = (*random)() % 5; n > 0; --n) {
    if (kind == 6) {
      value.push_back(DrawValue(random, depth - 1));
    } else {
      value[DrawText(random)] = DrawValue(random, depth - 1);
    }
  }
  return value;
}

TEST_CASE("JSON: what is written is read again, dense or with spaces, and written as by nlohmann") {
  std::mt19937 random(TestSeed() + 230);
  for (int i = 0; i < 500; ++i) {
    const testing::Json value = DrawValue(&random, 6);
    for (const int indent : {-1, 2}) {
      const std::string text = value.dump(indent);
      const Result<Json> parsed = ParseJson(text, "here");
      REQUIRE_MESSAGE(parsed.ok(), parsed.status().message());
      CHECK(parsed->Dump() == value.dump());
      CHECK(parsed->DumpIndented() == value.dump(2, ' ', /*ensure_ascii=*/true));
    }
  }
}

TEST_CASE("JSON: numbers keep their kind and text") {
  for (const std::string text : {"0",
                                 "-0",
                                 "7",
                                 "-7",
                                 "2147483648",
                                 "9223372036854775807",
                                 "9223372036854775808",
                                 "18446744073709551615",
                                 "18446744073709551616",
                                 "-9223372036854775808",
                                 "-9223372036854775809",
                                 "0.0",
                                 "-0.0",
                                 "0.1",
                                 "-2.50",
                                 "1e-5",
                                 "1E5",
                                 "1e+22",
                                 "3.0e0",
                                 "5e-324",
                                 "1e-400",
                                 "1.7976931348623157e308",
                                 "123456789.123456789123456789"}) {
    CAPTURE(text);
    const testing::Json wanted = testing::Json::parse(text);
    const Result<Json> parsed = ParseJson(text, "here");
    REQUIRE(parsed.ok());
    CHECK(parsed->Dump() == wanted.dump());
    CHECK(parsed->DumpIndented() == wanted.dump());
    CHECK(parsed->is_number());
    CHECK(parsed->is_integer() == wanted.is_number_integer());
    CHECK(parsed->is_unsigned() == wanted.is_number_unsigned());
    CHECK(parsed->number() == wanted.get<double>());
    if (parsed->is_integer()) CHECK(parsed->integer() == wanted.get<int64_t>());
    if (parsed->is_unsigned()) CHECK(parsed->unsigned_integer() == wanted.get<uint64_t>());
  }
}

TEST_CASE("JSON: texts, whatever way they are written") {
  for (const std::string text :
       {R"("")", R"("\u0061\/\b\f\n\r\t\"\\")", R"("\u0000\u001f\u007f\u0080")",
        R"("\u00e9\u20ac\ud83d\ude00")", R"("é€😀")", R"({"é\n": {"\u0000": []}})"}) {
    CAPTURE(text);
    const testing::Json wanted = testing::Json::parse(text);
    const Result<Json> parsed = ParseJson(text, "here");
    REQUIRE(parsed.ok());
    CHECK(parsed->Dump() == wanted.dump());
    CHECK(parsed->DumpIndented() == wanted.dump(2, ' ', /*ensure_ascii=*/true));
  }
  for (const std::string text :
       {R"("\ud83d")", R"("\ude00")", R"("\ud83d\u0061")", R"("\u12")", "\"\n\"", "\"\xC3\"",
        "\"\xED\xA0\x80\"", "\"\xF5\x80\x80\x80\""}) {
    CHECK(Refusal(text) == "here: is not valid JSON");
  }
}

TEST_CASE("JSON: documents that are built") {
  Json built;
  CHECK(built.Dump() == "null");
  built["z"]["b"] = "text";
  built["z"]["a"] = std::string("more");
  built["list"] = std::vector<int64_t>{3, -1};
  built["mixed"] = Json::Array{size_t{1}, 0.5f, true, Json(), Json::Array(), Json::Object()};
  built["member"] = Json::Object{{"n", -2}, {"of", Json::Object{{"most", UINT64_MAX}}}};
  const testing::Json wanted = {
      {"z", {{"b", "text"}, {"a", "more"}}},
      {"list", {3, -1}},
      {"mixed", {1, 0.5, true, nullptr, testing::Json::array(), testing::Json::object()}},
      {"member", {{"n", -2}, {"of", {{"most", UINT64_MAX}}}}}};
  CHECK(built.Dump() == wanted.dump());
  CHECK(built.DumpIndented() == wanted.dump(2));

  Json copy = built;
  copy["z"]["b"] = false;
  CHECK(built.Dump() == wanted.dump());
  CHECK_FALSE(copy.at("z").at("b").boolean());
  built = std::move(copy);
  CHECK_FALSE(built.at("z").at("b").boolean());
  built = built.at("z");  // a part of itself
  CHECK(built.Dump() == R"({"a":"more","b":false})");

  CHECK(built.Find("a") == &built.object().at("a"));
  CHECK(built.Find("c") == nullptr);
  CHECK(Json(1).Find("a") == nullptr);
  CHECK_THROWS_AS(built["a"].array(), std::bad_variant_access);
  CHECK_THROWS_AS(built["a"]["b"], std::bad_variant_access);
}

TEST_CASE("JSON: cut or changed anywhere it is refused or something else, never a crash") {
  std::mt19937 random(TestSeed() + 231);
  for (int i = 0; i < 50; ++i) {
    testing::Json value = DrawValue(&random, 4);
    value = {{"a", value}};
    const std::string text = value.dump();
    for (size_t size = 0; size < text.size(); ++size) {
      CHECK(Refusal(text.substr(0, size)) == "here: is not valid JSON");
    }
    for (int k = 0; k < 50; ++k) {
      std::string other = text;
      other[random() % other.size()] = static_cast<char>(random());
      const Result<Json> parsed = ParseJson(other, "here");
      if (!parsed.ok()) CHECK(parsed.status().message().starts_with("here: "));
    }
  }
}

TEST_CASE("JSON: nesting to 32, brackets in texts apart") {
  for (const char* brackets : {"[]", "{}"}) {
    const auto nested = [&](int depth) {
      std::string text;
      for (int i = 0; i < depth; ++i) {
        if (i > 0 && brackets[0] == '{') text += "\"k\":";
        text += brackets[0];
      }
      return text + std::string(static_cast<size_t>(depth), brackets[1]);
    };
    CHECK(Refusal(nested(32)).empty());
    CHECK(Refusal(nested(33)) == "here: JSON is nested deeper than 32");
    // Refused by its size, before a parser would go down so far.
    CHECK(Refusal(nested(1000000)) == "here: JSON is nested deeper than 32");
  }
  CHECK(Refusal("\"" + std::string(1000, '[') + "\"").empty());
  CHECK(Refusal("[\"\\\"" + std::string(1000, '[') + "\"]").empty());
  CHECK(Refusal("[[]" + std::string(40, ',') + "]") == "here: is not valid JSON");
}

TEST_CASE("JSON: 2^18 values and no more, counted before they are built") {
  const auto numbers = [](size_t count) {  // an array of so many, itself a value
    std::string text = "[0";
    for (size_t i = 1; i < count; ++i) text += ",0";
    return text + "]";
  };
  constexpr size_t kMost = size_t{1} << 18;
  CHECK(Refusal(numbers(kMost - 1)).empty());
  CHECK(Refusal(numbers(kMost)) == "here: JSON has more than 262144 values");
  CHECK(Refusal(std::string(kMost, ',')) == "here: JSON has more than 262144 values");
  CHECK(Refusal("\"" + std::string(kMost, ',') + "\"").empty());
}

TEST_CASE("JSON: a key stands once in an object, whatever way it is written") {
  CHECK(Refusal(R"({"a": 1, "b": 2, "a": 3})") == "here: key 'a' occurs twice");
  CHECK(Refusal(R"({"a": 1, "\u0061": 2})") == "here: key 'a' occurs twice");
  CHECK(Refusal(R"([{"x": {"a": [1], "a": 1}}])") == "here: key 'a' occurs twice");
  CHECK(Refusal(R"({"": 1, "": 1})") == "here: key '' occurs twice");
  CHECK(Refusal(R"({"a": {"a": {"a": 1}}, "b": [{"a": 1}, {"a": 1}]})").empty());
  // The first in the text, once that is known to be JSON.
  CHECK(Refusal(R"({"a": 1, "a": {"b": 1, "b": 2}})") == "here: key 'a' occurs twice");
  CHECK(Refusal(R"({"a": {"b": 1, "b": {}, "b": []}, "a": 2})") == "here: key 'b' occurs twice");
  CHECK(Refusal(R"({"a": 1, "a": 2)") == "here: is not valid JSON");
}

TEST_CASE("JSON: what is none") {
  for (const char* text : {"", " ", "{", "}", "{\"a\"}", "[1,]", "nan", "1 2", "[1] x", "'a'",
                           "// c\n1", "\"\xFF\"", "[1e999]", "01", "{a:1}"}) {
    CAPTURE(text);
    CHECK(Refusal(text) == "here: is not valid JSON");
  }
  // A zero byte is no end: what stands behind it would be read by nobody.
  for (const char* behind : {"", "x", " "}) {
    for (const std::string before : {"[1]", "", "[1", "\"a"}) {
      CHECK(Refusal(before + std::string(1, '\0') + behind) == "here: is not valid JSON");
    }
  }
}

TEST_CASE("JSON: names, and texts for messages") {
  std::mt19937 random(TestSeed() + 232);
  CHECK_FALSE(IsName(""));
  CHECK_FALSE(IsName(std::string(129, 'a')));
  CHECK(IsName(std::string(128, '~')));
  for (int c = 0; c < 256; ++c) {
    CHECK(IsName(std::string("a") + static_cast<char>(c)) == (c > 0x20 && c < 0x7f));
  }
  CHECK(Quote("a b") == "'a b'");
  CHECK(Quote("\n\x7f.\xff") == "'?\?.?'");
  CHECK(Quote(std::string(64, 'x')) == "'" + std::string(64, 'x') + "'");
  CHECK(Quote(std::string(65, 'x')) == "'" + std::string(64, 'x') + "...'");
  CHECK(BadModel("", "is odd").message() == "is odd");
  CHECK(BadModel("there", "is odd").message() == "there: is odd");
}

// The message of one access, "" where it succeeds.
template <typename Access>
std::string Read(const testing::Json& value, const Access& access) {
  const Json as_read = AsRead(value);
  ObjectReader reader(as_read, "here");
  const Status status = access(&reader);
  if (!status.ok()) CHECK(status.code() == StatusCode::kBadModel);
  return status.message();
}

TEST_CASE("object reader: integers, whole and within their range") {
  std::mt19937 random(TestSeed() + 233);
  for (int i = 0; i < 200; ++i) {
    const int low = static_cast<int>(random() % 100) - 50;
    const int high = low + static_cast<int>(random() % 100);
    const int value = static_cast<int>(random() % 300) - 150;
    int out = 7777;
    const std::string message =
        Read({{"n", value}}, [&](ObjectReader* r) { return r->Int("n", low, high, &out); });
    if (value >= low && value <= high) {
      CHECK(message.empty());
      CHECK(out == value);
    } else {
      CHECK(message == "here: n is " + std::to_string(value) + ", not an integer from " +
                           std::to_string(low) + " to " + std::to_string(high));
      CHECK(out == 7777);
    }
  }
  const testing::Json others = {1.0,
                                "1",
                                true,
                                nullptr,
                                testing::Json::array({1}),
                                testing::Json::object(),
                                std::numeric_limits<uint64_t>::max()};
  for (const testing::Json& other : others) {
    int out = 0;
    const std::string message =
        Read({{"n", other}}, [&](ObjectReader* r) { return r->Int("n", -9, 9, &out); });
    CHECK(message.find("not an integer from -9 to 9") != std::string::npos);
  }
}

TEST_CASE("object reader: numbers, switches, texts and choices") {
  const Json value =
      AsRead({{"d", 2.5}, {"i", -3}, {"b", true}, {"s", "x"}, {"bad", "a b"}, {"pair", {1, 2.5}}});
  double d = 0, e = 0;
  bool b = false;
  std::string s;
  size_t choice = 9;
  ObjectReader reader(value, "here");
  CHECK(reader.Number("d", &d).ok());
  CHECK(d == 2.5);
  CHECK(reader.Number("i", &d).ok());
  CHECK(d == -3);
  CHECK(reader.Number("s", &d).message() == "here: s is 'x', not a number");
  CHECK(reader.Bool("b", &b).ok());
  CHECK(b);
  CHECK(reader.Bool("i", &b).message() == "here: i is -3, not true or false");
  CHECK(reader.String("bad", &s).ok());
  CHECK(s == "a b");
  CHECK(reader.String("i", &s).message() == "here: i is -3, not a string");
  CHECK(reader.Name("s", &s).ok());
  CHECK(reader.Name("bad", &s).message() ==
        "here: bad is 'a b', not a name (1 to 128 printable ASCII characters without spaces)");
  CHECK(reader.Choice("s", {"w", "x"}, &choice).ok());
  CHECK(choice == 1);
  CHECK(reader.Choice("s", {"w", "y"}, &choice).message() == "here: s is 'x', known here: w, y");
  CHECK(reader.Numbers2("pair", &d, &e).ok());
  CHECK(d == 1);
  CHECK(e == 2.5);
  CHECK(Read({{"p", {1, "x"}}}, [&](ObjectReader* r) { return r->Numbers2("p", &d, &e); }) ==
        "here: p has 'x', which is not a number");
  CHECK(Read({{"p", {1, 2, 3}}}, [&](ObjectReader* r) { return r->Numbers2("p", &d, &e); }) ==
        "here: p is an array of 3, not an array of 2 to 2");
  CHECK(reader.Finish().ok());
}

TEST_CASE("object reader: objects, arrays, lists of names") {
  const Json value =
      AsRead({{"o", {{"k", 1}}}, {"a", {1, 2, 3}}, {"n", {"x", "y"}}, {"m", {"x", 1}}});
  const Json* object = nullptr;
  const Json::Array* out = nullptr;
  std::vector<std::string> names;
  ObjectReader reader(value, "here");
  CHECK(reader.Object("o", &object).ok());
  CHECK(object == value.Find("o"));
  CHECK(reader.Object("a", &object).message() == "here: a is an array of 3, not an object");
  CHECK(reader.Array("a", 3, 3, &out).ok());
  CHECK(out == &value.at("a").array());
  CHECK(reader.Array("a", 4, 9, &out).message() ==
        "here: a is an array of 3, not an array of 4 to 9");
  CHECK(reader.Array("o", 0, 9, &out).message() == "here: o is an object, not an array of 0 to 9");
  CHECK(reader.Names("n", 1, 2, &names).ok());
  CHECK(names == std::vector<std::string>{"x", "y"});
  CHECK(reader.Names("m", 1, 2, &names).message() == "here: m has 1, which is not a name");
  CHECK(reader.Finish().ok());
}

TEST_CASE("object reader: ranges of channels") {
  int begin = -1, end = -1;
  const auto range = [&](const testing::Json& value) {
    return Read({{"c", value}}, [&](ObjectReader* r) { return r->Range("c", 10, &begin, &end); });
  };
  CHECK(range({3, 10}).empty());
  CHECK(begin == 3);
  CHECK(end == 10);
  const std::string wanted = ", not [begin, end] with 0 <= begin < end <= 10";
  CHECK(range({3, 3}) == "here, c: is [3, 3]" + wanted);
  CHECK(range({5, 3}) == "here, c: is [5, 3]" + wanted);
  CHECK(range({0, 11}) == "here, c: is [0, 11]" + wanted);
  CHECK(range({-1, 3}) == "here, c: is [-1, 3]" + wanted);
  CHECK(range({0, 1.5}) == "here, c: is [0, 1.5]" + wanted);
  CHECK(range({1, std::numeric_limits<uint64_t>::max()}) ==
        "here, c: is [1, 18446744073709551615]" + wanted);
  CHECK(range({1, 2, 3}) == "here, c: is an array of 3" + wanted);
  CHECK(range("x") == "here, c: is 'x'" + wanted);
}

TEST_CASE("object reader: keys that are missing, and those that nobody asked for") {
  const Json value = AsRead({{"a", 1}, {"b", 2}});
  int out = 0;
  ObjectReader reader(value, "here");
  CHECK(reader.Has("a"));
  CHECK_FALSE(reader.Has("c"));
  CHECK(reader.Int("c", 0, 9, &out).message() == "here: key 'c' is missing");
  CHECK(reader.Int("a", 0, 9, &out).ok());
  CHECK(reader.Finish().message() == "here: unknown key 'b'");
  CHECK(reader.Int("b", 0, 9, &out).ok());
  CHECK(reader.Finish().ok());
  for (const Json& other : {Json(1), Json("x"), Json(Json::Array()), Json()}) {
    ObjectReader no_object(other, "here");
    CHECK_FALSE(no_object.Has("a"));
    CHECK(no_object.Int("a", 0, 9, &out).message().ends_with(", not an object"));
    CHECK(no_object.Finish().message().ends_with(", not an object"));
  }
}

}  // namespace
}  // namespace glint
