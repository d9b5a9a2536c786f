# SPDX-License-Identifier: GPL-2.0-only
# cmake -DHTML= -DCSS= -DJS= -DOUT= -P embed_page.cmake: one page as a C array.

file(READ "${HTML}" page HEX)
foreach(part CSS JS)
	file(READ "${${part}}" content HEX)
	string(HEX "@${part}@" mark)
	string(REPLACE "${mark}" "${content}" page "${page}")
endforeach()
string(REGEX REPLACE "(..)" "0x\\1," bytes "${page}")
string(REGEX REPLACE "((0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,))" "\\1\n" bytes "${bytes}")
file(WRITE "${OUT}" "#include <stddef.h>
extern const unsigned char run_html_page[];
extern const size_t run_html_page_size;
const unsigned char run_html_page[] = {
${bytes}
};
const size_t run_html_page_size = sizeof(run_html_page);
")
