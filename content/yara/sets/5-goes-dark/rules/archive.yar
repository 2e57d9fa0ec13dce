rule archive_in_spool
{
        meta:
                about = "A packed archive with a password, left where mail is queued."
                action = "alert"
                severity = 4
        strings:
                $seven = { 37 7a bc af 27 1c }
                $word = "mailq-drop"
        condition:
                filesize < 4MB and $seven at 0 and $word
}
