"""Workers whose parent was killed. Our own: uvicorn's go on serving, and keep the port for good."""

import os
import signal
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from threading import Thread


def stop_with_parent() -> None:
    """Let this process end as if asked to, once the one that started it as a worker is gone."""
    if parent := parent_process():
        Thread(target=stop_after, args=[parent], daemon=True).start()


def stop_after(parent: BaseProcess) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
