/* firebreakd - hand out releases to devices, and stop a bad one within its budget. */
#include "server/program.h"
#include "platform/file_limit.h"

int main(int argc, char **argv)
{
        file_limit_standard();
        file_limit_size_fails();
        return program_run(argc, argv);
}
