{
  'targets': [
    {
      'target_name': 'nftnl_printer',
      'sources': ['printer.cc'],
      'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
      'defines': ['NAPI_VERSION=9', 'NODE_ADDON_API_CPP_EXCEPTIONS'],
      'cflags_cc!': ['-fno-exceptions'],
      'cflags_cc': ['-fexceptions', '-Wall', '-Wextra', '<!@(pkg-config --cflags libnftnl libmnl)'],
      'libraries': ['<!@(pkg-config --libs libnftnl libmnl)'],
    },
    {
      'target_name': 'limit',
      'sources': [
        'limit.cc',
        '../batch.cc',
        '../element_rows.cc',
        '../elements.cc',
        '../messages.cc',
        '../program_reader.cc',
        '../socket.cc',
      ],
      'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
      'defines': ['NAPI_VERSION=9', 'NODE_ADDON_API_CPP_EXCEPTIONS'],
      'cflags_cc!': ['-fno-exceptions'],
      'cflags_cc': ['-fexceptions', '-Wall', '-Wextra', '<!@(pkg-config --cflags libnftnl libmnl)'],
      'libraries': ['<!@(pkg-config --libs libnftnl libmnl)'],
    },
  ],
}
