// The machine and this process: names and measures for reports.
// Used by the tools and benchmarks.
// Thread rules: free functions without state.
#ifndef GLINT_TOOLS_COMMON_MACHINE_H_
#define GLINT_TOOLS_COMMON_MACHINE_H_

#include <string>

namespace glint::tools {

// What reports say of where something was measured.
struct Machine {
  std::string cpu, target;
  int threads = 1;
  double peak_rss_mib = 0;
};

std::string CpuName();  // "AMD EPYC 9R14", or the architecture where the system does not say
int HardwareThreads();  // at least 1
double PeakRssMib();    // most memory this process has held at once
double Now();           // seconds of a clock that never goes back
std::string LocalTime(const char* format);  // strftime

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMON_MACHINE_H_
