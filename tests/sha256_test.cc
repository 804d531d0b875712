// SHA-256 against the examples of FIPS 180-4 and NIST's CAVP, and its own pieces against each
// other.
#include "engine/sha256.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tests/draws.h"
#include "tests/seed.h"

namespace glint {
namespace {

std::string Hex(const Sha256Digest& digest) {
  std::string out;
  for (const uint8_t byte : digest) {
    for (const int shift : {4, 0}) out += "0123456789abcdef"[(byte >> shift) & 15];
  }
  return out;
}

std::string HexOf(std::string_view text) {
  return Hex(Sha256Of({reinterpret_cast<const uint8_t*>(text.data()), text.size()}));
}

TEST_CASE("sha256: the examples of the standard") {
  CHECK(HexOf("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(HexOf("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(HexOf("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(HexOf("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
              "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu") ==
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  CHECK(HexOf(std::string(1000000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha256: pieces of any size give the digest of the whole, at every length") {
  std::vector<uint8_t> bytes(300);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 37 + 11);
  for (size_t length = 0; length <= bytes.size(); ++length) {
    const std::span<const uint8_t> all(bytes.data(), length);
    const std::string whole = Hex(Sha256Of(all));
    for (const size_t piece : {1U, 7U, 63U, 64U, 65U, 200U}) {
      Sha256 sha;
      for (size_t at = 0; at < length; at += piece) {
        sha.Update(all.subspan(at, std::min(piece, length - at)));
      }
      REQUIRE(Hex(sha.Finish()) == whole);
    }
  }
}

TEST_CASE("sha256: the CPU's instructions give what portable C++ gives") {
  if (!HasSha256Instructions()) {
    MESSAGE("this CPU has no SHA instructions");
    return;
  }
  testing::Draws draws({TestSeed(), 256});
  for (int i = 0; i < 200; ++i) {
    Sha256State portable, instructions;
    for (uint32_t& word : portable) word = draws.Seed();
    instructions = portable;
    const auto blocks = static_cast<size_t>(draws.Whole(0, 5));
    std::vector<uint8_t> bytes(64 * blocks + 1);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(draws.Whole(0, 255));
    const uint8_t* from = bytes.data() + i % 2;  // of any alignment
    Sha256BlocksPortable(from, blocks, &portable);
    Sha256BlocksByInstructions(from, blocks, &instructions);
    REQUIRE(portable == instructions);
  }
}

TEST_CASE("sha256: lengths around the padding's borders, from an independent implementation") {
  // Python: hashlib.sha256(b"x" * n).hexdigest()
  CHECK(HexOf(std::string(55, 'x')) ==
        "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072");
  CHECK(HexOf(std::string(56, 'x')) ==
        "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e");
  CHECK(HexOf(std::string(63, 'x')) ==
        "75220b47218278e656f2013bb8f0c455a25eaf01e86c64924e9d48d89776d6f2");
  CHECK(HexOf(std::string(64, 'x')) ==
        "7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c");
  CHECK(HexOf(std::string(65, 'x')) ==
        "9537c5fdf120482f7d58d25e9ed583f52c02b4e304ea814db1633ad565aed7e9");
  CHECK(HexOf(std::string(119, 'x')) ==
        "000b48d4edf0fa7bee3c6236ecd2785baa5db4eeb8bb54341b029e0d9fa5fb0c");
  CHECK(HexOf(std::string(120, 'x')) ==
        "13f05a0b594787f5ecd315edc96141bd3243203d1b7d4f0836f37308b276ba98");
}

}  // namespace
}  // namespace glint
