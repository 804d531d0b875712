#include "codec/model/coding_check.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "engine/front_graph.h"
#include "engine/graph_rows.h"
#include "engine/json.h"
#include "engine/positions.h"

namespace glint {
namespace {

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
  CodingChecker(const ModelDocument& document, const Graphs& graphs)
      : document_(document),
        graphs_(graphs),
        coding_(document.coding),
        hyper_coded_(static_cast<size_t>(document.hyper_channels), kNoPositions),
        coded_(static_cast<size_t>(document.latent_channels), kNoPositions) {}

  Status Check() {
    for (size_t i = 0; i < coding_.steps.size(); ++i) {
      GLINT_TRY(CheckDistribution(i));
      if (coding_.steps[i].order == Order::kWavefront) GLINT_TRY(CheckWavefront(i));
      if (coding_.steps[i].has_graph()) {
        GLINT_TRY(CheckStepGraph(i));
        GLINT_TRY(CheckInputs(i));
      }
      GLINT_TRY(Cover(i));
    }
    GLINT_TRY(CheckCovered("y", coded_));
    GLINT_TRY(CheckCovered("z", hyper_coded_));
    GLINT_TRY(CheckAllUsed());
    GLINT_TRY(CheckQuantised());
    return hyper_ < coding_.steps.size() ? CheckHyperAhead() : Status::Ok();
  }

 private:
  static std::string Place(size_t step) { return "coding step " + std::to_string(step); }
  const Graph& GraphOf(const CodingStep& step) const { return graphs_.at(step.graph); }

  // One step codes z, before psi is read; its tables are fixed, as there is nothing to tell more.
  Status CheckDistribution(size_t index) {
    const CodingStep& step = coding_.steps[index];
    const TableSet& set = coding_.tables.at(step.tables);
    if (step.codes == Coded::kHyper) {
      if (hyper_ < index) {
        return BadModel(Place(index), "codes z, which " + Place(hyper_) + " codes already");
      }
      if (step.has_graph()) return BadModel(Place(index), "codes z, whose tables are fixed");
      hyper_ = index;
    }
    const std::string tables = "tables " + Quote(step.tables);
    if (step.has_graph()) {
      if (set.has_thresholds) return Status::Ok();
      return BadModel(Place(index), tables + " have no thresholds for the scales of a graph");
    }
    const size_t channels = static_cast<size_t>(step.channels());
    if (set.tables.count() == channels) return Status::Ok();
    return BadModel(Place(index), std::to_string(set.tables.count()) + " " + tables + " for " +
                                      std::to_string(channels) + " channels");
  }

  // What it reads of its own latents it reads by causal convolutions alone; all else at the
  // position itself.
  Status CheckWavefront(size_t index) const {
    const CodingStep& step = coding_.steps[index];
    const auto bad = [&](const std::string& what) {
      return BadModel(Place(index), "order is wavefront, but " + what);
    };
    if (step.codes != Coded::kLatents || !step.has_graph()) {
      return bad("it has no graph that reads latents");
    }
    for (const CodedPart& part : step.parts) {
      if (part.positions != kAllPositions) return bad("it does not code all positions");
    }
    const auto front = MakeFrontGraph(GraphOf(step));
    if (!front.ok()) return bad("in graph " + Quote(step.graph) + " " + front.status().message());
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      const StepInput& input = step.inputs[i];
      const bool causal = front->inputs[i].kernel > 0;
      if (input.is_psi && causal) return bad("a causal convolution reads psi");
      if (!input.is_psi && !causal && ReadsOwn(step, input)) {
        return bad("input " + Quote(input.name) +
                   " has channels that the step codes, and is read at the position itself");
      }
    }
    return Status::Ok();
  }

  static bool Codes(const CodingStep& step, int channel) {
    return std::any_of(step.parts.begin(), step.parts.end(), [&](const CodedPart& part) {
      return part.channel_begin <= channel && channel < part.channel_end;
    });
  }
  static bool ReadsOwn(const CodingStep& step, const StepInput& input) {
    for (int c = input.channel_begin; c < input.channel_end; ++c) {
      if (Codes(step, c)) return true;
    }
    return false;
  }

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
    const bool means = step.distribution == Distribution::kMeansAndScales;
    const int channels = graph.channels.at(graph.output);
    const int wanted = step.channels() * (means ? 2 : 1);
    if (channels == wanted) return Status::Ok();
    return BadModel(Place(index), graph_text + " gives " + std::to_string(channels) +
                                      " channels, " + (means ? "means and scales" : "scales") +
                                      " of the step are " + std::to_string(wanted));
  }

  // Latents that a step reads must have been decoded by earlier steps, at the positions and as far
  // down as the step looks; psi is there once z is.
  Status CheckInputs(size_t index) {
    const CodingStep& step = coding_.steps[index];
    const Graph& graph = GraphOf(step);
    const std::vector<PositionSet> positions = PositionsRead(graph, step.positions());
    constexpr int64_t kFar = int64_t{1} << 20;  // so far down that no kernel reaches row 0
    std::vector<int64_t> ends;
    GraphRows(graph).InputEnds(kFar, GraphRows::kEndless, &ends);
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      const StepInput& input = step.inputs[i];
      const int64_t reach = ends[i] - kFar;
      if (input.is_psi && hyper_ >= index) {
        return BadModel(Place(index),
                        "input " + Quote(input.name) + " is psi, but no step before it codes z");
      }
      GLINT_TRY(CheckInputChannels(index, i));
      if (input.is_psi) {
        psi_ahead_ = std::max(psi_ahead_, step.ahead + reach);
      } else {
        GLINT_TRY(CheckDecoded(index, input, positions[i]));
        GLINT_TRY(CheckAhead(index, input, positions[i], reach));
      }
    }
    return Status::Ok();
  }

  Status CheckInputChannels(size_t index, size_t i) const {
    const CodingStep& step = coding_.steps[index];
    const StepInput& input = step.inputs[i];
    int channels = input.channel_end - input.channel_begin;
    if (input.is_psi) channels = graphs_.at("h_s").channels.at(graphs_.at("h_s").output);
    const int wanted = GraphOf(step).inputs[i].channels;
    if (channels == wanted) return Status::Ok();
    return BadModel(Place(index), "gives " + std::to_string(channels) + " channels to input " +
                                      Quote(input.name) + " of graph " + Quote(step.graph) +
                                      ", which has " + std::to_string(wanted));
  }

  Status CheckDecoded(size_t index, const StepInput& input, PositionSet positions) const {
    for (int c = input.channel_begin; c < input.channel_end; ++c) {
      const PositionSet missing = positions & ~coded_[static_cast<size_t>(c)];
      if (missing == kNoPositions) continue;
      const CodingStep& step = coding_.steps[index];
      if (step.order == Order::kWavefront && Codes(step, c)) continue;  // by CheckWavefront
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
      if (producer.codes == Coded::kHyper) continue;
      const bool reads =
          std::any_of(producer.parts.begin(), producer.parts.end(), [&](const CodedPart& part) {
            return part.channel_begin < input.channel_end &&
                   input.channel_begin < part.channel_end && (part.positions & positions) != 0;
          });
      const int64_t wanted = coding_.steps[index].ahead + reach;
      if (!reads || producer.ahead >= wanted) continue;
      return BadModel(Place(j), "ahead is " + std::to_string(producer.ahead) + ", step " +
                                    std::to_string(index) + " needs " + std::to_string(wanted));
    }
    return Status::Ok();
  }

  Status Cover(size_t index) {
    const CodingStep& step = coding_.steps[index];
    std::vector<PositionSet>& coded = step.codes == Coded::kHyper ? hyper_coded_ : coded_;
    for (const CodedPart& part : step.parts) {
      for (int c = part.channel_begin; c < part.channel_end; ++c) {
        PositionSet& of_channel = coded[static_cast<size_t>(c)];
        if ((of_channel & part.positions) != 0) {
          return BadModel(Place(index), "codes channel " + std::to_string(c) + " at " +
                                            NameOf(of_channel & part.positions) +
                                            " positions, which are coded already");
        }
        of_channel |= part.positions;
      }
    }
    return Status::Ok();
  }

  static Status CheckCovered(const std::string& latents, const std::vector<PositionSet>& coded) {
    for (size_t c = 0; c < coded.size(); ++c) {
      if (coded[c] == kAllPositions) continue;
      return BadModel("coding", "channel " + std::to_string(c) + " of " + latents +
                                    " is never coded at " + NameOf(kAllPositions & ~coded[c]) +
                                    " positions");
    }
    return Status::Ok();
  }

  // Segment s has z rows up to ceil(rows (s + 1) / ratio) + ahead; do they give all psi that its
  // steps read? The phase of `rows` against `ratio` repeats within `ratio` segments.
  Status CheckHyperAhead() const {
    if (psi_ahead_ < 0) return BadModel(Place(hyper_), "codes z, but no step reads psi");
    const int ahead = coding_.steps[hyper_].ahead;
    const int64_t ratio = document_.hyper_ratio();
    const GraphRows rows(graphs_.at("h_s"));
    std::vector<int64_t> ends;
    for (int64_t s = 0; s < ratio; ++s) {
      const int64_t latent_rows = coding_.segment_rows * (s + 1);
      const int64_t share = (latent_rows + ratio - 1) / ratio;
      rows.InputEnds(latent_rows + psi_ahead_, GraphRows::kEndless, &ends);
      const int64_t need = ends[0];
      if (share + ahead >= need) continue;
      return BadModel(Place(hyper_), "ahead is " + std::to_string(ahead) + ", segment " +
                                         std::to_string(s) + " needs " +
                                         std::to_string(need - share));
    }
    return Status::Ok();
  }

  static const Quantisation* Find(const Graph& graph, const std::string& tensor) {
    const auto found = graph.quantised.find(tensor);
    return found == graph.quantised.end() ? nullptr : &found->second;
  }

  // z and y_hat are int16 in fixed point or float, psi is as h_s leaves it; outputs are float.
  Status CheckQuantised() const {
    const Graph& g_s = graphs_.at("g_s");
    GLINT_TRY(CheckFixedPoint(g_s, 1.0 / (1 << document_.fraction_bits)));
    const Quantisation* psi = nullptr;
    if (document_.has_hyper) {
      const Graph& h_s = graphs_.at("h_s");
      psi = Find(h_s, h_s.output);
      GLINT_TRY(CheckFixedPoint(h_s, 1.0));
      if (psi != nullptr && psi->element != kernels::Element::kI16) {
        return BadModel("graph 'h_s'", "its output is not kept as i16");
      }
    }
    for (const CodingStep& step : coding_.steps) {
      for (const StepInput& input : step.inputs) {
        const Quantisation* given = input.is_psi ? psi : Find(g_s, g_s.inputs[0].name);
        const char* what = input.is_psi ? "psi in another form than graph 'h_s'" : kOtherLatents;
        GLINT_TRY(CheckSameForm(GraphOf(step), input.name, given, what));
      }
    }
    for (const auto& entry : document_.shrunk) {
      const Graph& graph = graphs_.at(entry.second.graph);
      GLINT_TRY(
          CheckSameForm(graph, graph.inputs[0].name, Find(g_s, g_s.inputs[0].name), kOtherLatents));
    }
    for (const auto& [name, graph] : graphs_) {
      if (name != "h_s" && Find(graph, graph.output) != nullptr) {
        return BadModel("graph " + Quote(name), "its output is not kept in float");
      }
      GLINT_TRY(CheckDynamic(graph));
    }
    return Status::Ok();
  }

  static constexpr const char* kOtherLatents = "the latents in another form than graph 'g_s'";

  // `what`: what an error says of an input that is not kept as `given`.
  static Status CheckSameForm(const Graph& graph, const std::string& input,
                              const Quantisation* given, const char* what) {
    const Quantisation* own = Find(graph, input);
    if ((own == nullptr) == (given == nullptr) && (own == nullptr || *own == *given)) {
      return Status::Ok();
    }
    return BadModel("graph " + Quote(graph.name), std::string("keeps ") + what);
  }

  // Ranges of a whole picture: not of what is given from outside, nor where segments stream.
  Status CheckDynamic(const Graph& graph) const {
    const bool streams = (graph.name != "g_a" && graph.name != "g_s") ||
                         std::any_of(coding_.steps.begin(), coding_.steps.end(),
                                     [&](const CodingStep& s) { return s.graph == graph.name; });
    for (const auto& [name, quantisation] : graph.quantised) {
      if (!quantisation.dynamic) continue;
      const std::string place = "graph " + Quote(graph.name) + ", tensor " + Quote(name);
      if (streams) return BadModel(place, "has dynamic scales, which g_a and g_s alone may have");
      if (name == graph.inputs[0].name) {
        return BadModel(place, "has dynamic scales, but is the graph's input");
      }
    }
    return Status::Ok();
  }

  Status CheckFixedPoint(const Graph& graph, double scale) const {
    const Quantisation* quantisation = Find(graph, graph.inputs[0].name);
    if (quantisation == nullptr ||
        (quantisation->element == kernels::Element::kI16 && quantisation->factor.empty() &&
         quantisation->scales == std::vector<double>{scale})) {
      return Status::Ok();
    }
    return BadModel("graph " + Quote(graph.name),
                    "its input is neither float nor i16 of the one scale " + std::to_string(scale) +
                        " without factors");
  }

  // Every graph and every set of tables has a purpose.
  Status CheckAllUsed() const {
    std::set<std::string> used = {"g_a", "g_s"}, tables;
    if (document_.has_hyper) used.insert({"h_a", "h_s"});
    for (const CodingStep& step : coding_.steps) {
      if (step.has_graph()) used.insert(step.graph);
      tables.insert(step.tables);
    }
    for (const auto& entry : document_.shrunk) used.insert(entry.second.graph);
    for (const auto& entry : graphs_) {
      if (used.count(entry.first) == 0) {
        return BadModel("graph " + Quote(entry.first), "is unknown: no coding step uses it");
      }
    }
    for (const auto& entry : coding_.tables) {
      if (tables.count(entry.first) == 0) {
        return BadModel("coding, tables " + Quote(entry.first), "no coding step uses them");
      }
    }
    return Status::Ok();
  }

  const ModelDocument& document_;
  const Graphs& graphs_;
  const Coding& coding_;
  // By channel of z and y: positions that the steps so far have coded.
  std::vector<PositionSet> hyper_coded_, coded_;
  size_t hyper_ = SIZE_MAX;  // the step that codes z, once it is known
  int64_t psi_ahead_ = -1;   // rows of psi beyond a segment that any step reads
};

}  // namespace

Status CheckCoding(const ModelDocument& document, const Graphs& graphs) {
  return CodingChecker(document, graphs).Check();
}

}  // namespace glint
