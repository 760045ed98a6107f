{
  'variables': {
    'werror%': 0,
    'sanitize%': '',
  },
  'targets': [
    {
      'target_name': 'nftjs',
      'sources': [
        'native/addon.cc',
        'native/batch.cc',
        'native/batch_builder.cc',
        'native/connection.cc',
        'native/dump.cc',
        'native/element_rows.cc',
        'native/elements.cc',
        'native/messages.cc',
        'native/monitor.cc',
        'native/notify.cc',
        'native/program.cc',
        'native/program_reader.cc',
        'native/readable.cc',
        'native/rtnetlink.cc',
        'native/socket.cc',
        'native/task.cc',
        'native/transaction.cc',
        'native/values.cc',
      ],
      'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
      'defines': ['NAPI_VERSION=9', 'NODE_ADDON_API_CPP_EXCEPTIONS', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
      'cflags_cc!': ['-fno-exceptions'],
      'cflags_cc': ['-fexceptions', '-Wall', '-Wextra', '<!@(pkg-config --cflags libnftnl libmnl)'],
      'libraries': ['<!@(pkg-config --libs libnftnl libmnl)'],
      'conditions': [
        ['werror==1', {'cflags_cc': ['-Werror']}],
        [
          'sanitize!=""',
          {
            'cflags_cc': ['-fsanitize=<(sanitize)', '-fno-omit-frame-pointer', '-fno-sanitize-recover=all', '-g', '-O1'],
            'ldflags': ['-fsanitize=<(sanitize)'],
          },
        ],
      ],
    },
  ],
}
