#pragma once

#include <libmnl/libmnl.h>

#include <cstdint>

#include "element_rows.h"
#include "program_reader.h"

namespace nftjs {

/** Bytes that a message with as many elements as possible takes behind its prefix. */
constexpr size_t kElementsRoom = 65536;

/**
 * Appends NFTA_SET_ELEM_LIST_ELEMENTS to `message`, with as many elements as its nest can hold (65,535 bytes)
 * and without tearing apart what belongs together.
 *
 * `message` needs kElementsRoom bytes behind it.
 *
 * @returns how many elements were taken; 0 at the end
 * @throws ProgramError when elements that belong together are too large for one message
 */
uint32_t put_elements(nlmsghdr* message, ElementReader& reader);

/**
 * The same for elements in rows, of which some are left, and which may be torn apart anywhere.
 *
 * @throws ProgramError
 */
void put_elements(nlmsghdr* message, ElementRows& rows);

}  // namespace nftjs
