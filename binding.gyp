{
  # static_needs: what static libdw and libelf need in turn (.ci/prebuild/build.sh).
  'variables': { 'openssl_fips': '', 'static_needs%': '' },
  'targets': [
    {
      'target_name': 'rspack_prof_core',
      'type': 'static_library',
      'sources': [
        '<!@(node -p "require(\'node:fs\').readdirSync(\'src\', { recursive: true }).filter((file) => /^(base|perf|code|profile|stack|heap|trace|session)\\/[^/]+\\.c$/.test(file)).map((file) => \'src/\' + file).sort().join(\' \')")',
      ],
      'include_dirs': ['src'],
      'cflags': ['-std=c11', '-Wall', '-Wextra', '-fPIC', '-fvisibility=hidden'],
      'cflags!': ['-fno-omit-frame-pointer'],
      'defines': ['_GNU_SOURCE'],
    },
    {
      'target_name': 'rspack_prof',
      'dependencies': ['rspack_prof_core'],
      'sources': [
        '<!@(node -p "require(\'node:fs\').readdirSync(\'src/addon\').filter((file) => file.endsWith(\'.c\')).map((file) => \'src/addon/\' + file).sort().join(\' \')")',
      ],
      'include_dirs': ['src', '<!(node -p "require(\'node-api-headers\').include_dir")'],
      'cflags': ['-std=c11', '-Wall', '-Wextra', '-fvisibility=hidden'],
      'defines': ['_GNU_SOURCE', 'NAPI_VERSION=8'],
      # Bound at load time: the SIGTRAP handler must not enter the lazy binder.
      'ldflags': ['-Wl,-z,now', '-Wl,--exclude-libs,ALL'],
      'libraries': ['-ldw', '-lelf', '-lpfm', '-l:libiberty.a', '<(static_needs)'],
    },
    {
      # What `compare` runs each build with: small, and without node.
      'target_name': 'rspack_prof_run',
      'type': 'executable',
      'sources': [
        'src/perf/lethal.c',
        'src/runner/counter.c',
        'src/runner/main.c',
        'src/runner/tree.c',
      ],
      'include_dirs': ['src'],
      'cflags': ['-std=c11', '-Wall', '-Wextra', '-pthread'],
      'ldflags': ['-pthread'],
      'defines': ['_GNU_SOURCE'],
    },
  ],
}
