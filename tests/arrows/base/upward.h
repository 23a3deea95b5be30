// Never compiled: an include that the check of the arrows must refuse.
#pragma once

#include "server/worker.h"
