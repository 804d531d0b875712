// The encoder's side of a line of symbols: values of y or z in, symbols and decoded values out.
// What becomes of the symbols is up to who derives from it: they are coded, or looked at.
// Called by codec/latents. Thread rules: one caller.
#ifndef GLINT_CODEC_API_QUANTISING_PORT_H_
#define GLINT_CODEC_API_QUANTISING_PORT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/api/analysis.h"
#include "codec/latents/symbol_lines.h"
#include "codec/model/model_document.h"
#include "engine/status.h"

namespace glint {

class QuantisingPort : public SymbolPort {
 public:
  // Both must outlive the port.
  QuantisingPort(const ModelDocument& document, const Analysis& analysis)
      : document_(document), analysis_(analysis) {}

  Status CodeLine(Coded coded, const SymbolLine& line, const int16_t* mean,
                  const LineTables& tables, int16_t* decoded) final;

 protected:
  // line.symbols of each, in the order of the stream.
  struct Symbols {
    const int16_t* values;
    const int16_t* means;    // fixed point
    const int16_t* decoded;  // fixed point
    LineTables tables;
  };
  virtual void Take(Coded coded, const SymbolLine& line, const Symbols& symbols) = 0;

  size_t ChannelsOf(Coded coded) const {
    return static_cast<size_t>(coded == Coded::kHyper ? document_.hyper_channels
                                                      : document_.latent_channels);
  }
  int FractionBits(Coded coded) const {
    return coded == Coded::kHyper ? 0 : document_.fraction_bits;
  }

 private:
  const ModelDocument& document_;
  const Analysis& analysis_;
  std::vector<int16_t> values_;  // of a line, in the order of the stream
  std::vector<int16_t> symbols_;
};

}  // namespace glint

#endif  // GLINT_CODEC_API_QUANTISING_PORT_H_
