// Rows on their way from one thread to another: a picture file is packed or unpacked on a thread of
// the queue's own, while the codec runs on others.
// Used by tools/commands/picture_source.cc and tools/commands/decode_file.cc.
// Thread rules: one thread pushes, one pops; Stop from either. The rest is the owner's.
#ifndef GLINT_TOOLS_COMMANDS_ROW_QUEUE_H_
#define GLINT_TOOLS_COMMANDS_ROW_QUEUE_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace glint::tools {

class RowQueue {
 public:
  // The work of the queue's thread: it pushes or pops, with memory for a row.
  using Work = std::function<void(RowQueue* queue, uint8_t* row)>;

  explicit RowQueue(size_t row_bytes);
  // With a thread for `work`. nullptr where the system has no memory or no thread for it, and for
  // rows of more than 4 MiB.
  static std::unique_ptr<RowQueue> Start(size_t row_bytes, Work work);
  // Stops, and waits for the thread.
  ~RowQueue();
  RowQueue(const RowQueue&) = delete;
  RowQueue& operator=(const RowQueue&) = delete;

  // What Start takes for such rows: about 1 MiB, three rows where they are longer, or nothing.
  static uint64_t MemoryOf(size_t row_bytes);

  // Waits for room. Rows may wait for a few more, or End, before they are popped. False after Stop.
  bool Push(const void* row);
  // No more rows will be pushed.
  void End();
  // Waits for a row. False when there is none left after End, or after Stop.
  bool Pop(void* row);
  // Whoever waits goes on, and nothing is taken any more.
  void Stop();
  // Waits until the thread's work is done, which End or Stop brings about. False: memory ran out.
  bool Join();

 private:
  void Run(const Work& work) noexcept;
  uint8_t* Slot(uint64_t number) { return rows_.data() + number % slots_ * row_bytes_; }

  const size_t row_bytes_, slots_;
  const size_t batch_;  // rows, or free slots, for which it is worth to wake who waits
  std::vector<uint8_t> rows_;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t pushed_ = 0, popped_ = 0;
  bool ended_ = false, stopped_ = false;
  bool out_of_memory_ = false;  // the thread's until it is joined
  std::thread thread_;
};

// Whether a call with so many threads (0: all that the machine has) has one for the rows of a file.
// Pipes and the like have none: who waits for a queue does not see that the program is interrupted.
bool HasThreadForRows(int threads, const std::string& path);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMANDS_ROW_QUEUE_H_
