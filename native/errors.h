#pragma once

#include <cerrno>
#include <cstddef>
#include <stdexcept>
#include <string>

namespace nftjs {

/** A system call failed. */
class SystemError : public std::runtime_error {
 public:
  SystemError(std::string syscall, int code, std::string detail = "")
      : std::runtime_error(detail), code_(code), syscall_(std::move(syscall)) {}

  /** The errno, positive. */
  int code() const { return code_; }
  const std::string& syscall() const { return syscall_; }

 private:
  int code_;
  std::string syscall_;
};

/** The program buffer does not hold what its layout promises. */
class ProgramError : public std::runtime_error {
 public:
  ProgramError(const std::string& what, size_t offset)
      : std::runtime_error("corrupt program at byte " + std::to_string(offset) + ": " + what) {}
};

/** The caller gave up waiting. */
class Cancelled : public std::exception {
 public:
  const char* what() const noexcept override { return "cancelled"; }
};

}  // namespace nftjs
