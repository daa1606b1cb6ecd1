# Read at the head of llama.cpp's own project. llama-cpp-python forces its "common" library on, which
# no library that Bedside loads needs; a plain variable stands in front of the forced cache entry
# (CMP0126), and two fifths of what would be compiled are not.
set(LLAMA_BUILD_COMMON OFF)
