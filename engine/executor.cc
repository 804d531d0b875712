// The band executor. Before anything is allocated the schedule is run on row numbers alone
// (schedule.h), which gives every ring its capacity. After that Advance allocates nothing.

#include "engine/executor.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "engine/chains.h"
#include "engine/picture_tensors.h"
#include "engine/plan.h"
#include "engine/schedule.h"

namespace glint {
namespace {

using Clock = std::chrono::steady_clock;

class ExecutorImpl final : public Executor {
 public:
  ExecutorImpl(std::shared_ptr<const Plan> plan, const ExecutorOptions& options)
      : owner_(std::move(plan)),
        plan_(static_cast<const PlanImpl&>(*owner_)),
        options_(options),
        tensors_(plan_, schedule_, options_) {}

  Status Init(const std::vector<BoundInput>& inputs, RowRing* output) {
    GLINT_ASSIGN(const ExecutorMemory memory, PlanExecutorMemory(plan_, options_, inputs, output));
    GLINT_TRY(schedule_.Init(plan_, options_));
    GLINT_TRY(tensors_.Init(memory, inputs, output));
    for (const auto& step : plan_.steps) {
      runs_.push_back(step->Start(&tensors_));
      profile_.push_back({step->name, step->Kernel(), 0, 0});
    }
    return Status::Ok();
  }

  size_t out_width() const override { return schedule_.out_width(); }
  int64_t out_height() const override { return schedule_.out_height(); }

  int64_t end() const override { return schedule_.end(); }
  int64_t next_end() const override { return schedule_.next_end(); }
  int64_t InputEnd() const override { return schedule_.InputEnd(); }

  float* InputRow(size_t input, int64_t r) override {
    return tensors_.InputRow(plan_.input_tensors[input], r);
  }
  void StoreInput(size_t input, int64_t r) override {
    tensors_.StoreInput(plan_.input_tensors[input], r);
  }

  void SetWidth(size_t width) override { schedule_.SetWidth(width); }

  void Advance() override {
    if (plan_.observer != nullptr) ObserveInputs();
    auto chain = plan_.chains.begin();
    for (size_t s = 0; s < runs_.size();) {
      if (chain != plan_.chains.end() && chain->first == s) {
        RunChain(*chain);
        s = (chain++)->end;
        continue;
      }
      const int output = plan_.steps[s]->output;
      const int64_t begin = schedule_.step_end(s), end = schedule_.need(output);
      if (begin < end) {
        RunStep(s, begin, end);
        if (plan_.observer != nullptr) Observe(output, begin, end);
      }
      ++s;
    }
    schedule_.Advance();
  }

  const float* OutputRow(int64_t r) const override {
    return static_cast<const float*>(
        static_cast<const void*>(tensors_.Row(plan_.output_tensor, r)));
  }
  size_t output_pixel_stride() const override { return tensors_.stride(plan_.output_tensor); }
  const std::vector<StepProfile>& profile() const override { return profile_; }

 private:
  void RunStep(size_t s, int64_t begin, int64_t end) {
    const auto start = options_.profile ? Clock::now() : Clock::time_point();
    StepRun& run = *runs_[s];
    ParallelFor(options_.runner, run.Begin(begin, end),
                [&](size_t item, size_t worker) { run.RunItem(item, worker); });
    if (options_.profile) Account(s, end - begin, start);
  }

  // All steps of a chain make the same rows.
  void RunChain(const Chain& chain) {
    const int output = plan_.steps[chain.end - 1]->output;
    const int64_t end = schedule_.need(output);
    const int64_t rows = ChainRows(schedule_.width(output), options_.runner.workers);
    for (int64_t row = schedule_.step_end(chain.first); row < end; row += rows) {
      for (size_t s = chain.first; s < chain.end; ++s) RunStep(s, row, std::min(end, row + rows));
    }
  }

  // All inputs are fed alike.
  void ObserveInputs() {
    const int64_t end = schedule_.InputEnd();
    for (const int input : plan_.input_tensors) Observe(input, inputs_observed_, end);
    inputs_observed_ = std::max(inputs_observed_, end);
  }

  void Observe(int id, int64_t begin, int64_t end) {
    const PlanTensor& tensor = tensors_.tensor(id);
    if (tensor.element != kernels::Element::kF32) return;
    for (int64_t r = begin; r < end; ++r) {
      const void* row = tensors_.Row(id, r);
      plan_.observer->OnRow(plan_.graph_name, tensor.name, static_cast<const float*>(row),
                            tensors_.Pixels(id, r), tensor.channels, tensors_.stride(id));
    }
  }

  void Account(size_t s, int64_t rows, Clock::time_point start) {
    const Step& step = *plan_.steps[s];
    const double pixels = static_cast<double>(tensors_.width(step.output)) *
                          static_cast<double>(rows) *
                          (tensors_.tensor(step.output).compact ? ShareOf(plan_.wanted) : 1.0);
    profile_[s].macs += pixels * step.macs_per_pixel;
    profile_[s].seconds += std::chrono::duration<double>(Clock::now() - start).count();
  }

  std::shared_ptr<const Plan> owner_;
  const PlanImpl& plan_;
  const ExecutorOptions options_;
  Schedule schedule_;
  PictureTensors tensors_;
  std::vector<std::unique_ptr<StepRun>> runs_;  // by step of the plan
  std::vector<StepProfile> profile_;
  int64_t inputs_observed_ = 0;  // rows
};

}  // namespace

Result<std::unique_ptr<Executor>> Executor::Make(std::shared_ptr<const Plan> plan,
                                                 const ExecutorOptions& options,
                                                 const std::vector<BoundInput>& inputs,
                                                 RowRing* output) {
  auto executor = std::make_unique<ExecutorImpl>(std::move(plan), options);
  GLINT_TRY(executor->Init(inputs, output));
  return std::unique_ptr<Executor>(std::move(executor));
}

Result<uint64_t> Executor::MemoryNeeded(const Plan& plan, const ExecutorOptions& options,
                                        const std::vector<BoundInput>& inputs,
                                        const RowRing* output) {
  GLINT_ASSIGN(const ExecutorMemory memory,
               PlanExecutorMemory(static_cast<const PlanImpl&>(plan), options, inputs, output));
  return memory.bytes;
}

}  // namespace glint
