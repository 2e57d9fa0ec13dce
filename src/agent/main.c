#include "agent/command.h"
#include "platform/file_limit.h"
#include "platform/process.h"

int main(int argc, char **argv)
{
        file_limit_standard();
        file_limit_size_fails();
        process_gives_back();
        return command_main(argc, argv);
}
