#include "tools/common/shard.h"

#include <charconv>
#include <system_error>

#include "CLI/CLI.hpp"

namespace glint::tools {
namespace {

// A number from 1 in decimal digits.
std::optional<size_t> ParseCount(const std::string& text) {
  size_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || rest != end || count == 0 || text[0] == '0') return std::nullopt;
  return count;
}

}  // namespace

std::optional<Shard> ParseShard(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const std::optional<size_t> number = ParseCount(text.substr(0, slash));
  const std::optional<size_t> of = ParseCount(text.substr(slash + 1));
  if (!number || !of || *number > *of || *of > kMostShards) return std::nullopt;
  return Shard{*number - 1, *of};
}

std::string ShardText(const Shard& shard) {
  return std::to_string(shard.index + 1) + "/" + std::to_string(shard.of);
}

CLI::Option* AddShardFlag(CLI::App* app, const std::string& help, std::optional<Shard>* shard) {
  const auto parse = [shard](const std::string& text) {
    *shard = ParseShard(text);
    if (*shard) return;
    throw CLI::ValidationError("--shard",
                               "'" + text + "' is not I/N, such as 2/4, the second of four");
  };
  return app
      ->add_option_function<std::string>("--shard", parse,
                                         help + ": of every N of the list the I-th (1 to N)")
      ->type_name("I/N");
}

}  // namespace glint::tools
