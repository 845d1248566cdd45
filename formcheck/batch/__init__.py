"""Many clips: on the cores of this machine or on a Dask cluster, resumable at any moment.

`clips` and `manifest` say which; `attempt` brings one clip to its end, with the analysis in a worker process
(`worker`, held by `supervisor`); `store` keeps results so that nothing is half there; `local` and `cluster` spread the
work; `summary` and `index` put it together; `run` is the whole.
"""
