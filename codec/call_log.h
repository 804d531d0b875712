// The line that a call leaves in the caller's log. Internal to codec/.
// Thread rules: functions of their arguments.
#ifndef GLINT_CODEC_CALL_LOG_H_
#define GLINT_CODEC_CALL_LOG_H_

#include <cstdint>

#include "glint/glint.hpp"

namespace glint {

// What a call did with a picture.
struct LoggedCall {
  const char* done;           // "encoded"
  const PictureInfo& info;    // width 0: not known
  uint64_t stream_bytes = 0;  // 0: no stream
  const Report& report;
  const Error& error;
};
// Nothing where there is no log.
void Log(const LogFunction& log, const LoggedCall& call);
void LogLoading(const LogFunction& log, const Expected<Model>& model);

}  // namespace glint

#endif  // GLINT_CODEC_CALL_LOG_H_
