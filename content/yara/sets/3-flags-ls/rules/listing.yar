rule trojaned_listing
{
        meta:
                about = "A listing program that was swapped for one that hides files."
                action = "quarantine"
                severity = 9
        strings:
                $usage = "List information about the FILEs (the current directory by default)."
                $colour = "LS_COLORS"
        condition:
                uint32(0) == 0x464c457f and all of them
}
