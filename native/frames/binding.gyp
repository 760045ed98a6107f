{
  "targets": [
    {
      "target_name": "frames",
      "sources": ["frames.cc"],
      "dependencies": ["<!(node -p \"require('node-addon-api').targets\"):node_addon_api_except"],
      "defines": ["NAPI_VERSION=8"],
      "cflags_cc": ["-std=c++20", "-Wall", "-Wextra", "-Wno-cast-function-type"]
    }
  ]
}
