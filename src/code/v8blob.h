/*
 * v8blob: finds the copies of V8's embedded builtins. Pure: text of /proc/self/maps in, ranges out.
 *
 * With short builtin calls V8 maps the pages of the node executable that hold the builtins a second
 * time, into each isolate's code range, so that compiled code reaches them with near calls. Node 20
 * reports builtins at the image's addresses and runs both; node 22 to 26 report and run the copy;
 * node 18 has none (checked on 18.20, 20.20, 22.23, 24.21, 25.9, 26.10).
 *
 * The caller says where V8's image is (the object that holds V8's functions: node, or libnode.so).
 * Refuses: copies that V8 made by memcpy (no file behind them), mappings that are not executable.
 */
#ifndef RSPACK_PROF_CODE_V8BLOB_H
#define RSPACK_PROF_CODE_V8BLOB_H

#include <stddef.h>
#include <stdint.h>

struct prof_v8blob_copy {
  uint64_t start, end;
  uint64_t image; /* the address in the image that start is a copy of */
};

struct prof_v8blob_image {
  uint64_t start, end; /* lowest and highest address of the object */
  uint64_t anchor;     /* an address of code in it */
};

/* Fills at most capacity rows, in the order of the text (as prof_maps_parse takes it); returns how
 * many. */
size_t prof_v8blob_copies(char *maps, const struct prof_v8blob_image *image,
                          struct prof_v8blob_copy *out, size_t capacity);

#endif
