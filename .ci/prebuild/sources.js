'use strict';
// What is linked into the prebuilt addon, as Debian's mirrors serve its makers' sources; each is checked
// against its sum. `licence` names the files in the source that must travel with it.

const POOL = 'http://deb.debian.org/debian/pool/main';

/**
 * @typedef {object} Source
 * @property {string} name
 * @property {string} url
 * @property {string} sha256
 * @property {string} terms SPDX
 * @property {string[]} licence
 */

/** In the order in which they are built. @type {Source[]} */
const SOURCES = [
  {
    name: 'zlib',
    url: `${POOL}/z/zlib/zlib_1.3.dfsg+really1.3.1.orig.tar.gz`,
    sha256: '60dd315c07f616887caa029408308a018ace66e3d142726a97db164b3b8f69fb',
    terms: 'Zlib',
    licence: ['LICENSE'],
  },
  {
    name: 'zstd',
    url: `${POOL}/libz/libzstd/libzstd_1.5.7+dfsg.orig.tar.xz`,
    sha256: '0c092ef267edce57ba7f3f2645c861f72eaf5e76273c6c3632869423464b90a5',
    terms: 'BSD-3-Clause',
    licence: ['LICENSE'],
  },
  {
    name: 'xz',
    url: `${POOL}/x/xz-utils/xz-utils_5.8.1.orig.tar.xz`,
    sha256: '0b54f79df85912504de0b14aec7971e3f964491af1812d83447005807513cd9e',
    terms: '0BSD',
    licence: ['COPYING', 'COPYING.0BSD'],
  },
  {
    name: 'elfutils',
    url: `${POOL}/e/elfutils/elfutils_0.192.orig.tar.bz2`,
    sha256: '616099beae24aba11f9b63d86ca6cc8d566d968b802391334c91df54eab416b4',
    terms: 'LGPL-3.0-or-later OR GPL-2.0-or-later',
    licence: ['COPYING-LGPLV3', 'COPYING-GPLV2', 'COPYING'],
  },
  {
    name: 'libpfm4',
    url: `${POOL}/libp/libpfm4/libpfm4_4.13.0.orig.tar.gz`,
    sha256: 'd18b97764c755528c1051d376e33545d0eb60c6ebf85680436813fa5b04cc3d1',
    terms: 'MIT',
    licence: ['COPYING'],
  },
  {
    name: 'libiberty',
    url: `${POOL}/libi/libiberty/libiberty_20250315.orig.tar.xz`,
    sha256: '5b510b5e0918dcb00a748900103365a00411855f202089ff81dc5ef99d8beeaa',
    terms: 'LGPL-2.1-or-later AND GPL-2.0-or-later WITH GCC-exception-2.0',
    licence: ['libiberty/COPYING.LIB'],
  },
];

module.exports = { SOURCES };
