// evaluate: what a model makes of pictures, or how several compare. Encodes to bytes, decodes those
// bytes with a model loaded separately, and reports quality, size, time and memory. A command-line
// tool over the public interface.
// Thread rules: one main thread; the library makes the workers that --threads asks for.
#include <cstdint>
#include <string>
#include <utility>

#include "CLI/CLI.hpp"
#include "glint/glint.hpp"
#include "tools/common/console.h"
#include "tools/evaluation/job.h"
#include "tools/evaluation/merge.h"
#include "tools/evaluation/runner.h"
#include "tools/program/detail_flags.h"
#include "tools/program/effort_flag.h"
#include "tools/program/flag_checks.h"
#include "tools/program/flag_texts.h"
#include "tools/program/program.h"

namespace glint::tools {
namespace {

// ---- flags -------------------------------------------------------------------------------------

void AddModelFlags(CLI::App* app, EvaluateFlags* flags) {
  constexpr const char* kGroup = "Models";
  CLI::Option* const type =
      app->add_option("--type", flags->type,
                      "The shipped model of that type (default: FP32, or what --model is)")
          ->check(CLI::IsMember(ShippedTypes(), CLI::ignore_case))
          ->type_name("TYPE")
          ->group(kGroup);
  CLI::Option* const model =
      app->add_option("--model", flags->models,
                      "Model: a file, or the name of one that came with Glint (default: "
                      "$GLINT_MODEL, else light-fp32); several times: compares them with the first")
          ->allow_extra_args(false)
          ->check(NotEmpty())
          ->type_name("FILE")
          ->group(kGroup);
  CLI::Option* const compare =
      app->add_option("--compare", flags->compare,
                      "Types, with commas between: compares the shipped models with the first")
          ->delimiter(',')
          ->allow_extra_args(false)
          ->check(CLI::IsMember(ShippedTypes(), CLI::ignore_case))
          ->type_name("TYPES")
          ->group(kGroup)
          ->excludes(type)
          ->excludes(model);
  app->add_option("--family", flags->families,
                  "Models of one fixed rate each that make one curve, as a pattern in quotes: "
                  "'mbt-mean-*.safetensors'; several times: compares them with the first")
      ->allow_extra_args(false)
      ->type_name("PATTERN")
      ->group(kGroup)
      ->excludes(type)
      ->excludes(model)
      ->excludes(compare);
  app->add_option("--curves", flags->curves,
                  "JSON of other codecs' results, as CompressAI and --json write them: compares "
                  "with each")
      ->check(NotEmpty())
      ->type_name("FILE")
      ->group(kGroup);
}

void AddRunFlags(CLI::App* app, EvaluateFlags* flags) {
  constexpr const char* kPictures = "Pictures and rates";
  constexpr const char* kSpeed = "Speed";
  app->add_option("--gt_path,--gt-path", flags->gt_path,
                  "Picture, or folder of pictures (default: the samples that came with Glint)")
      ->check(NotEmpty())
      ->type_name("PATH")
      ->group(kPictures);
  CLI::Option* const lrd =
      app->add_option("--lrd", flags->lrd,
                      "Rates, with commas between; larger is more bits (default: the model's; when "
                      "comparing models or --curves, 6 over what the models are meant for)")
          ->check(NotEmpty())
          ->type_name("N,N")
          ->group(kPictures);
  app->add_option("--quality", flags->quality,
                  "Rates as qualities, with commas between: 0, the lowest, to 100, the highest")
      ->check(NotEmpty())
      ->type_name("N,N")
      ->group(kPictures)
      ->excludes(lrd);
  AddDetailFlag(app,
                "Details: in blocks that are better for them, in none, or in all (default auto; "
                "off when comparing models, and of families)",
                &flags->detail)
      ->group(kPictures);
  AddEffortFlag(app, "", &flags->effort)->group(kPictures);
  app->add_option("--freq", flags->freq,
                  "Show and save every N-th picture, and any below 15 dB (default: 5 for a folder, "
                  "else 1); means are over all")
      ->check(WholeNumber())
      ->check(CLI::Range(1, 1 << 30))
      ->group(kPictures);
  app->add_option("--threads", flags->threads,
                  "Threads (default 1, so that times compare); 0: all that the machine has")
      ->check(WholeNumber())
      ->check(CLI::Range(0, 1024))
      ->group(kSpeed);
  app->add_option("--target", flags->target,
                  "SIMD target, such as AVX2 (default: $GLINT_TARGET, else the best here)")
      ->type_name("NAME")
      ->group(kSpeed);
  app->add_option("--repeat", flags->repeat,
                  "Code each picture N times and take the median of the times (default 1)")
      ->check(WholeNumber())
      ->check(CLI::Range(1, 10000))
      ->group(kSpeed);
  app->add_flag_callback(
         "--no-verify", [flags] { flags->verify = false; },
         "Do not decode each stream once more, untimed, with other threads and bands, where a "
         "difference makes the picture fail")
      ->group(kSpeed);
  AddByteSizeOption(app, "--max-pixels", &flags->limits.max_pixels,
                    "Fail pictures with more pixels (default 1G; K, M, G: powers of 1024)")
      ->group("Limits");
  AddByteSizeOption(app, "--max-memory", &flags->limits.max_memory,
                    "Fail pictures that need more memory to be measured, in bytes (default 4G)")
      ->group("Limits");
}

// After all others: --merge goes with few of them.
void AddMachineFlags(CLI::App* app, EvaluateFlags* flags) {
  constexpr const char* kGroup = "Long runs and several machines";
  CLI::Option* const json = app->get_option("--json");
  app->add_flag("--resume", flags->resume,
                "Keep a journal beside --json, FILE.journal, until that is written, and go on with "
                "what it has of a run that was ended")
      ->group(kGroup)
      ->needs(json);
  AddShardFlag(app, "A part of the pictures", &flags->shard)->group(kGroup)->needs(json);
  CLI::Option* const merge =
      app->add_option("--merge", flags->merge,
                      "Results of all shards, as --json wrote them: reports what one run would")
          ->check(NotEmpty())
          ->type_name("FILE...")
          ->group(kGroup);
  for (CLI::Option* option : app->get_options()) {
    const std::string name = option->get_name();
    if (option == merge || option == json || name == "--html" || name == "--html-size" ||
        name == "--curves" || name == "--help") {
      continue;
    }
    merge->excludes(option);
  }
}

void AddFlags(CLI::App* app, EvaluateFlags* flags) {
  constexpr const char* kResults = "Results";
  AddModelFlags(app, flags);
  AddRunFlags(app, flags);
  app->add_option("--out", flags->out,
                  "Reconstructions and streams go to FOLDER/FP32 and so on, the log to FOLDER/log")
      ->check(NotEmpty())
      ->type_name("FOLDER")
      ->group(kResults);
  app->add_option("--json", flags->json,
                  "Results as JSON, in CompressAI's schema (-: standard output)")
      ->check(NotEmpty())
      ->type_name("FILE")
      ->group(kResults);
  CLI::Option* const html =
      app->add_option("--html", flags->html,
                      "Results as a page for a browser, in one file: curves, tables, layers, and "
                      "the pictures that are shown, under a slider")
          ->check(NotEmpty())
          ->type_name("FILE")
          ->group(kResults);
  AddByteSizeOption(app, "--html-size", &flags->html_size,
                    "The pictures of the page take so much at most; of those with less error only "
                    "parts are shown, or nothing (default 19M)")
      ->group(kResults)
      ->needs(html);
  AddMachineFlags(app, flags);
  const std::string tool = app->get_name();
  SetHelp(app,
          {{"[FLAGS]"},
           "Without flags: the sample pictures, with light-fp32. docs/EVALUATE.md says what each "
           "number means.",
           {tool + " --gt_path Kodak --lrd 0.0001,0.0003,0.0009 --json kodak.json",
            tool + " --type INT8 --gt_path photo.png --out results --repeat 5",
            tool + " --compare FP32,INT8 --gt_path Kodak --json compared.json",
            tool + " --gt_path Kodak --curves bench/codecs.json --html kodak.html",
            tool + " --gt_path photos --shard 1/4 --json 1.json",
            tool + " --merge 1.json 2.json 3.json 4.json --json all.json"},
           {{"Exit code",
             "0; 1 when some pictures of a folder could not be evaluated; 2 when a flag, file or "
             "model is bad."},
            {"Environment",
             "GLINT_MODEL is a model file, or a folder that holds light-fp32.safetensors. "
             "GLINT_TARGET is a SIMD target."}}});
}

int Main(int argc, char** argv) {
  const std::string tool = ProgramName(argv[0]);
  CLI::App app("Compresses pictures with a Glint model and reports quality, size and time", tool);
  EvaluateFlags flags;
  app.set_version_flag("--version", tool + " (Glint) " + Version());
  AddFlags(&app, &flags);
  flags.command = CommandLineText(tool, argc, argv);
  return RunTool(app, argc, argv, [&] {
    if (!flags.merge.empty()) return MergeShards(tool, flags);
    Expected<Job> job = PrepareJob(flags);
    if (!job) return ExitCodeFor(tool, job.error());
    return RunEvaluation(tool, flags, std::move(*job));
  });
}

}  // namespace
}  // namespace glint::tools

int main(int argc, char** argv) { return glint::tools::Main(argc, argv); }
