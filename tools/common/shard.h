// A part of a list of files, for work that several machines or processes share.
// Used by evaluate, and by `glint encode` and `glint decode`.
// Thread rules: values; AddShardFlag main thread only.
#ifndef GLINT_TOOLS_COMMON_SHARD_H_
#define GLINT_TOOLS_COMMON_SHARD_H_

#include <cstddef>
#include <optional>
#include <string>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace glint::tools {

// The files whose place in the list, counted from 0, leaves `index` when it is divided by `of`: so
// large and small ones that follow each other go to different parts.
struct Shard {
  size_t index = 0;  // from 0, below `of`
  size_t of = 1;
  bool Has(size_t place) const { return place % of == index; }
};

inline constexpr size_t kMostShards = 1000000;

// "2/4", the second of four; nothing if it is none.
std::optional<Shard> ParseShard(const std::string& text);
std::string ShardText(const Shard& shard);

// --shard I/N; `help` without what I/N means.
CLI::Option* AddShardFlag(CLI::App* app, const std::string& help, std::optional<Shard>* shard);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMON_SHARD_H_
