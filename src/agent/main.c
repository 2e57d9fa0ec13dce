#include "agent/command.h"
#include "platform/file_limit.h"

int main(int argc, char **argv)
{
        file_limit_standard();
        file_limit_size_fails();
        return command_main(argc, argv);
}
