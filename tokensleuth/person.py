"""Who runs the program, by the operating system; the environment is not asked, for anybody can set it."""

import os
import pwd


def os_user() -> str:
    """The name of the user, or `uid 1000` where the system has no name for it."""
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
