# Stands for a library of Conan Center by the system's own, with what CMake calls it there, so that the recipe of Glint
# can be tested without a download (`./run package conan`). Which library: its name.
import os

from conan import ConanFile

# Name: what CMake calls package and target, what is linked.
LIBRARIES = {
    "libjpeg-turbo": ("JPEG", "JPEG::JPEG", "jpeg"),
    "libpng": ("PNG", "PNG::PNG", "png"),
    "nlohmann_json": ("nlohmann_json", "nlohmann_json::nlohmann_json", None),
    "zlib": ("ZLIB", "ZLIB::ZLIB", "z"),
    "highway": ("highway", "highway::highway", "hwy"),
}


class SystemLibrary(ConanFile):
    def package_info(self):
        package, target, library = LIBRARIES[self.name]
        self.cpp_info.set_property("cmake_file_name", package)
        self.cpp_info.set_property("cmake_target_name", target)
        self.cpp_info.includedirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.bindirs = []
        prefix = os.environ.get("GLINT_HIGHWAY")
        if self.name == "highway" and prefix:
            self.cpp_info.includedirs = [os.path.join(prefix, "include")]
            self.cpp_info.libdirs = [os.path.join(prefix, "lib")]
        if library:
            self.cpp_info.system_libs = [library]
