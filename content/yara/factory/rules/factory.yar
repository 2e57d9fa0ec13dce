rule firebreak_factory_canary
{
        meta:
                about = "A planted text; whoever plants it wants to see that the factory rules are at work."
                action = "alert"
        strings:
                $mark = "FIREBREAK-FACTORY-CANARY-2c81e0b4" ascii
        condition:
                $mark
}

rule reverse_shell_oneliner
{
        meta:
                about = "A shell whose input and output are a connection to somewhere else."
                action = "alert"
                severity = 8
        strings:
                $tcp = /bash -i >& ?\/dev\/tcp\/[0-9A-Za-z.-]{4,64}\/[0-9]{2,5} 0>&1/
        condition:
                filesize < 1MB and $tcp
}
