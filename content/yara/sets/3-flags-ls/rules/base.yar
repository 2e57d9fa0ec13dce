rule firebreak_canary
{
        meta:
                about = "A planted text; whoever plants it wants to see that these rules are at work."
                action = "alert"
        strings:
                $mark = "FIREBREAK-CANARY-7f3a9c51" ascii
        condition:
                $mark
}

rule shell_dropper
{
        meta:
                about = "Fetches a program, makes it executable and runs it, all in one short script."
                action = "alert"
                severity = 6
        strings:
                $script = "#!/bin/"
                $fetch = /(curl|wget) [^\n]{0,80}https?:\/\/[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\//
                $allow = /chmod (\+x|[0-7]?7[0-7]{2}) /
        condition:
                filesize < 64KB and $script at 0 and $fetch and $allow
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
