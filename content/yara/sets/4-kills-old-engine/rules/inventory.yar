rule system_inventory
{
        meta:
                about = "Which system a file describes: for the inventory, not an alarm."
                action = "inventory"
                severity = 0
                family = "inventory"
                author = "Firebreak sample content"
                license = "Apache-2.0"
                created = "2026-07-19"
                changed = "2026-11-02"
                revision = 3
                platform = "linux"
                kind = "text"
                confidence = 95
                audience = "operations"
                team = "endpoint"
                review = "two people"
                channel = "edr-rules"
                tags = "os,inventory"
                ticket = 4711
                scope = "etc"
                cost = "low"
                retention_days = 30
        strings:
                $name = /(^|\n)PRETTY_NAME="/
                $home = /\nHOME_URL="https?:/
        condition:
                filesize < 8KB and all of them
}
