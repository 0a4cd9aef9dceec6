"""What later stages need, made one after another beside the stages before them, which wait more than they compute."""

import concurrent.futures


class Ahead:
    """As a context: left early, nothing more is begun."""

    def __init__(self, jobs):
        """jobs: {name: function}, begun in this order."""
        self.pool = concurrent.futures.ThreadPoolExecutor(1)
        self.results = {name: self.pool.submit(function) for name, function in jobs.items()}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pool.shutdown(wait=False, cancel_futures=True)

    def result(self, name):
        """What the function returned, waited for; what it raised is raised here."""
        return self.results[name].result()
