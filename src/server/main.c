/* firebreakd - hand out releases to devices, and stop a bad one within its budget. */
#include "server/program.h"

int main(int argc, char **argv)
{
        return program_run(argc, argv);
}
