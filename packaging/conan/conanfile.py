# Conan recipe of this tree: `conan create packaging/conan`. The libraries, and models in share/glint; no programs.
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd, stdcpp_library
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rmdir


class Glint(ConanFile):
    name = "glint"
    description = "Learned image compression: engine and codec"
    license = "Apache-2.0"
    topics = ("image", "compression", "codec", "neural-network")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {
        "shared": [True, False],
        "fPIC": [True, False],
        "picture_files": [True, False],
        "jpeg": [True, False],
        "models": [True, False],
    }
    default_options = {
        "shared": False,
        "fPIC": True,
        "picture_files": True,
        "jpeg": True,
        "models": True,
    }
    implements = ["auto_shared_fpic"]

    @property
    def _tree(self):
        return os.path.join(self.recipe_folder, "..", "..")

    def set_version(self):
        text = load(self, os.path.join(self._tree, "codec", "include", "glint", "version.h"))
        self.version = ".".join(re.findall(r"#define GLINT_VERSION_(?:MAJOR|MINOR|PATCH) ([0-9]+)", text))

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", ".cmake/*", "kernels/*", "engine/*", "codec/*",
                        "packaging/symbols.map.in", "weights/*.safetensors"):
            copy(self, pattern, self._tree, self.export_sources_folder, excludes="weights/training/*")

    def configure(self):
        if not self.options.picture_files:
            self.options.rm_safe("jpeg")

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        self.requires("highway/[>=1.2 <2]")
        self.requires("zlib/[>=1.2.11 <2]")
        self.requires("nlohmann_json/[>=3.10 <4]", visible=False)
        if self.options.picture_files:
            self.requires("libpng/[>=1.6 <2]")
            if self.options.get_safe("jpeg"):
                self.requires("libjpeg-turbo/[>=2 <4]")

    def validate(self):
        check_min_cppstd(self, 20)

    def generate(self):
        dependencies = CMakeDeps(self)
        # As Highway's own package has it.
        dependencies.set_property("highway", "cmake_file_name", "hwy")
        dependencies.set_property("highway", "cmake_target_name", "hwy::hwy")
        dependencies.generate()
        toolchain = CMakeToolchain(self)
        for part in ("TESTS", "TOOLS", "BENCH", "CONFORMANCE"):
            toolchain.cache_variables["GLINT_BUILD_" + part] = False
        toolchain.cache_variables["GLINT_PICTURE_FILES"] = bool(self.options.picture_files)
        toolchain.cache_variables["GLINT_JPEG"] = "ON" if self.options.get_safe("jpeg") else "OFF"
        toolchain.cache_variables["GLINT_INSTALL_MODELS"] = bool(self.options.models)
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        CMake(self).install()
        # Conan writes its own, by package_info.
        rmdir(self, os.path.join(self.package_folder, "lib", "cmake"))
        rmdir(self, os.path.join(self.package_folder, "lib", "pkgconfig"))

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "glint")
        core = self.cpp_info.components["core"]
        core.set_property("cmake_target_name", "glint::core")
        core.set_property("pkg_config_name", "glint-core")
        core.libs = ["glint_core"]
        core.requires = ["highway::highway", "zlib::zlib"]
        whole = self.cpp_info.components["glint"]
        whole.set_property("cmake_target_name", "glint::glint")
        whole.set_property("pkg_config_name", "glint")
        whole.libs = ["glint"]
        whole.requires = list(core.requires)
        if self.options.picture_files:
            whole.requires.append("libpng::libpng")
            if self.options.get_safe("jpeg"):
                whole.requires.append("libjpeg-turbo::libjpeg-turbo")
        # A project in C alone has to be told of C++'s library.
        runtime = [] if self.options.shared else [stdcpp_library(self)]
        for component in (core, whole):
            if self.settings.os in ("Linux", "FreeBSD"):
                component.system_libs = [*filter(None, runtime), "m", "pthread"]
