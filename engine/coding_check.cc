#include "engine/coding_check.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "engine/graph_rows.h"
#include "engine/json.h"
#include "engine/window.h"

namespace glint {
namespace {

PositionSet PositionsOf(Parity parity) {
  return parity == Parity::kAll    ? kAllPositions
         : parity == Parity::kEven ? kEvenPositions
                                   : kOddPositions;
}

const char* NameOf(PositionSet positions) {
  return positions == kAllPositions ? "all" : positions == kEvenPositions ? "even" : "odd";
}

// At which positions the graph reads each of its inputs when the output is wanted at `wanted`.
std::vector<PositionSet> PositionsRead(const Graph& graph, PositionSet wanted) {
  std::map<std::string, PositionSet> read;
  read[graph.output] = wanted;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const PositionSet positions = node->window.PositionsRead(read[node->output]);
    for (const std::string& input : node->inputs) read[input] |= positions;
  }
  std::vector<PositionSet> out;
  for (const GraphInput& input : graph.inputs) out.push_back(read[input.name]);
  return out;
}

class CodingChecker {
 public:
  explicit CodingChecker(const ModelDocument& document)
      : document_(document),
        coding_(document.coding),
        covered_(static_cast<size_t>(document.latent_channels), 0) {}

  Status Check() {
    for (size_t i = 0; i < coding_.steps.size(); ++i) {
      GLINT_TRY(CheckStepGraph(i));
      GLINT_TRY(CheckInputs(i));
      GLINT_TRY(Cover(i));
    }
    for (size_t c = 0; c < covered_.size(); ++c) {
      if (covered_[c] == kAllPositions) continue;
      return BadModel("coding", "channel " + std::to_string(c) + " is never coded at " +
                                    NameOf(kAllPositions & ~covered_[c]) + " positions");
    }
    GLINT_TRY(CheckQuantised());
    GLINT_TRY(CheckHyperAhead());
    return CheckAllGraphsUsed();
  }

 private:
  static std::string Place(size_t step) { return "coding step " + std::to_string(step); }
  const Graph& GraphOf(const CodingStep& step) const { return document_.graphs.at(step.graph); }

  Status CheckStepGraph(size_t index) const {
    const CodingStep& step = coding_.steps[index];
    const Graph& graph = GraphOf(step);
    const std::string graph_text = "graph " + Quote(graph.name);
    if (graph.numeric_class != NumericClass::kExact) {
      return BadModel(Place(index),
                      graph_text + " has class close, the way to the symbols must be exact");
    }
    for (const Node& node : graph.nodes) {
      const int stride = std::max(node.window.rows.stride, node.window.columns.stride);
      if (stride != 1) {
        return BadModel(Place(index), graph_text + ", node " + Quote(node.name) + ": stride is " +
                                          std::to_string(stride) + ", 1 is wanted here");
      }
    }
    const int channels = graph.channels.at(graph.output);
    const int wanted = 2 * (step.channel_end - step.channel_begin);
    if (channels != wanted) {
      return BadModel(Place(index), graph_text + " gives " + std::to_string(channels) +
                                        " channels, means and scales of the step are " +
                                        std::to_string(wanted));
    }
    return Status::Ok();
  }

  // Latents that a step reads must have been decoded by earlier steps, at the positions and as far
  // down as the step looks.
  Status CheckInputs(size_t index) {
    const CodingStep& step = coding_.steps[index];
    const Graph& graph = GraphOf(step);
    const Graph& h_s = document_.graphs.at("h_s");
    const int psi_channels = h_s.channels.at(h_s.output);
    const std::vector<PositionSet> positions = PositionsRead(graph, PositionsOf(step.parity));
    constexpr int64_t kFar = int64_t{1} << 20;  // so far down that no kernel reaches row 0
    std::vector<int64_t> ends;
    GraphRows(graph).InputEnds(kFar, GraphRows::kEndless, &ends);
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      const StepInput& input = step.inputs[i];
      const int64_t reach = ends[i] - kFar;
      const int channels = input.is_psi ? psi_channels : input.channel_end - input.channel_begin;
      if (channels != graph.inputs[i].channels) {
        return BadModel(Place(index), "gives " + std::to_string(channels) + " channels to input " +
                                          Quote(input.name) + " of graph " + Quote(graph.name) +
                                          ", which has " +
                                          std::to_string(graph.inputs[i].channels));
      }
      if (input.is_psi) {
        psi_ahead_ = std::max(psi_ahead_, step.ahead + reach);
      } else {
        GLINT_TRY(CheckDecoded(index, input, positions[i]));
        GLINT_TRY(CheckAhead(index, input, positions[i], reach));
      }
    }
    return Status::Ok();
  }

  Status CheckDecoded(size_t index, const StepInput& input, PositionSet positions) const {
    for (int c = input.channel_begin; c < input.channel_end; ++c) {
      const PositionSet missing = positions & ~covered_[static_cast<size_t>(c)];
      if (missing == 0) continue;
      return BadModel(Place(index), "input " + Quote(input.name) + " reads channel " +
                                        std::to_string(c) + " at " + NameOf(missing) +
                                        " positions, which are not decoded before it");
    }
    return Status::Ok();
  }

  Status CheckAhead(size_t index, const StepInput& input, PositionSet positions,
                    int64_t reach) const {
    for (size_t j = 0; j < index; ++j) {
      const CodingStep& producer = coding_.steps[j];
      const bool reads = producer.channel_begin < input.channel_end &&
                         input.channel_begin < producer.channel_end &&
                         (PositionsOf(producer.parity) & positions) != 0;
      const int64_t wanted = coding_.steps[index].ahead + reach;
      if (!reads || producer.ahead >= wanted) continue;
      return BadModel(Place(j), "ahead is " + std::to_string(producer.ahead) + ", step " +
                                    std::to_string(index) + " needs " + std::to_string(wanted));
    }
    return Status::Ok();
  }

  Status Cover(size_t index) {
    const CodingStep& step = coding_.steps[index];
    for (int c = step.channel_begin; c < step.channel_end; ++c) {
      PositionSet& coded = covered_[static_cast<size_t>(c)];
      if ((coded & PositionsOf(step.parity)) != 0) {
        return BadModel(Place(index), "codes channel " + std::to_string(c) + " at " +
                                          NameOf(coded & PositionsOf(step.parity)) +
                                          " positions, which are coded already");
      }
      coded |= PositionsOf(step.parity);
    }
    return Status::Ok();
  }

  // Segment s has z rows up to ceil(rows (s + 1) / ratio) + ahead; do they give all psi that its
  // steps read? The phase of `rows` against `ratio` repeats within `ratio` segments.
  Status CheckHyperAhead() const {
    if (psi_ahead_ < 0) return Status::Ok();
    const int64_t ratio = document_.hyper_stride / document_.latent_stride;
    const GraphRows rows(document_.graphs.at("h_s"));
    std::vector<int64_t> ends;
    for (int64_t s = 0; s < ratio; ++s) {
      const int64_t latent_rows = coding_.segment_rows * (s + 1);
      const int64_t share = (latent_rows + ratio - 1) / ratio;
      rows.InputEnds(latent_rows + psi_ahead_, GraphRows::kEndless, &ends);
      const int64_t need = ends[0];
      if (share + coding_.hyper_ahead >= need) continue;
      return BadModel("coding, hyper", "ahead is " + std::to_string(coding_.hyper_ahead) +
                                           ", segment " + std::to_string(s) + " needs " +
                                           std::to_string(need - share));
    }
    return Status::Ok();
  }

  static const Quantisation* Find(const Graph& graph, const std::string& tensor) {
    const auto found = graph.quantised.find(tensor);
    return found == graph.quantised.end() ? nullptr : &found->second;
  }

  static Status Differ(const std::string& what, const Graph& a, const Graph& b) {
    return BadModel("graph " + Quote(b.name),
                    "keeps " + what + " in another form than graph " + Quote(a.name));
  }

  // z and y_hat are int16 in fixed point or float, psi is as h_s leaves it; outputs are float.
  Status CheckQuantised() const {
    const Graph& h_s = document_.graphs.at("h_s");
    const Graph& g_s = document_.graphs.at("g_s");
    const Quantisation* psi = Find(h_s, h_s.output);
    const Quantisation* latents = Find(g_s, g_s.inputs[0].name);
    GLINT_TRY(CheckFixedPoint(h_s, 1.0));
    GLINT_TRY(CheckFixedPoint(g_s, 1.0 / (1 << document_.fraction_bits)));
    if (psi != nullptr && psi->element != kernels::Element::kI16) {
      return BadModel("graph 'h_s'", "its output is not kept as i16");
    }
    for (const CodingStep& step : coding_.steps) {
      const Graph& graph = GraphOf(step);
      for (const StepInput& input : step.inputs) {
        const Quantisation* own = Find(graph, input.name);
        const Quantisation* given = input.is_psi ? psi : latents;
        if ((own == nullptr) != (given == nullptr) || (own != nullptr && !(*own == *given))) {
          return Differ(input.is_psi ? "psi" : "the latents", input.is_psi ? h_s : g_s, graph);
        }
      }
    }
    for (const auto& [name, graph] : document_.graphs) {
      if (name != "h_s" && Find(graph, graph.output) != nullptr) {
        return BadModel("graph " + Quote(name), "its output is not kept in float");
      }
      GLINT_TRY(CheckDynamic(graph));
    }
    return Status::Ok();
  }

  // Ranges of a whole picture: not of what is given from outside, nor where segments stream.
  Status CheckDynamic(const Graph& graph) const {
    const bool streams = (graph.name != "g_a" && graph.name != "g_s") ||
                         std::any_of(coding_.steps.begin(), coding_.steps.end(),
                                     [&](const CodingStep& s) { return s.graph == graph.name; });
    for (const auto& [name, quantisation] : graph.quantised) {
      if (!quantisation.dynamic) continue;
      const std::string place = "graph " + Quote(graph.name) + ", tensor " + Quote(name);
      if (streams) return BadModel(place, "has dynamic steps, which g_a and g_s alone may have");
      if (name == graph.inputs[0].name) {
        return BadModel(place, "has dynamic steps, but is the graph's input");
      }
    }
    return Status::Ok();
  }

  Status CheckFixedPoint(const Graph& graph, double step) const {
    const Quantisation* quantisation = Find(graph, graph.inputs[0].name);
    if (quantisation == nullptr ||
        (quantisation->element == kernels::Element::kI16 && quantisation->factor.empty() &&
         quantisation->steps == std::vector<double>{step})) {
      return Status::Ok();
    }
    return BadModel("graph " + Quote(graph.name),
                    "its input is neither float nor i16 of the one step " + std::to_string(step) +
                        " without factors");
  }

  Status CheckAllGraphsUsed() const {
    std::set<std::string> used = {"g_a", "h_a", "h_s", "g_s"};
    for (const CodingStep& step : coding_.steps) used.insert(step.graph);
    for (const auto& entry : document_.graphs) {
      if (used.count(entry.first) == 0) {
        return BadModel("graph " + Quote(entry.first), "is unknown: no coding step uses it");
      }
    }
    return Status::Ok();
  }

  const ModelDocument& document_;
  const Coding& coding_;
  std::vector<PositionSet> covered_;  // by channel: positions that the steps so far have coded
  int64_t psi_ahead_ = -1;            // rows of psi beyond a segment that any step reads
};

}  // namespace

Status CheckCoding(const ModelDocument& document) { return CodingChecker(document).Check(); }

}  // namespace glint
