// A DNS message as text: records as in a master file, all else behind ";;".
#pragma once

#include <string>

#include "wire/message_view.h"

namespace peregrine {

std::string message_text(const MessageView& message);

}  // namespace peregrine
