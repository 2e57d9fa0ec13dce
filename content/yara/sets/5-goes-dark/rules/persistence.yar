rule cron_persistence
{
        meta:
                about = "Writes itself into the table of timed jobs, every minute."
                action = "alert"
                severity = 5
        strings:
                $job = /\(crontab -l[^\n]{0,40}echo ['"]\* \* \* \* \* /
        condition:
                filesize < 256KB and $job
}
