# A program in C alone codes a picture with the packaged library and model: tests/consumer/c_only.
import os

from conan import ConanFile
from conan.tools.build import can_run
from conan.tools.cmake import CMake, cmake_layout


class GlintConsumer(ConanFile):
    settings = "os", "arch", "compiler", "build_type"
    generators = "CMakeDeps", "CMakeToolchain"

    def requirements(self):
        self.requires(self.tested_reference_str)

    def layout(self):
        cmake_layout(self)

    def build(self):
        cmake = CMake(self)
        cmake.configure(build_script_folder=os.path.join("..", "..", "..", "tests", "consumer", "c_only"))
        cmake.build()

    def test(self):
        if can_run(self):
            package = self.dependencies[self.tested_reference_str].package_folder
            model = os.path.join(package, "share", "glint", "light-int8.safetensors")
            program = os.path.join(self.cpp.build.bindir, "consumer_c_only")
            self.run(f'"{program}" "{model}"', env="conanrun")
