"""Asks operators and panels as the App's server does."""

import asyncio

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators.executor import (
    ExecutionContext,
    Executor,
    execute_or_delegate_operator,
)

OVERVIEW = "@mmmsba/fiftyone_ops/forgery_overview"
TIMELINE = "@mmmsba/fiftyone_ops/forgery_timeline"


def asked_by_the_app(uri: str, dataset: fo.Dataset, **params):
    """Run an operator as the App does, and return its result."""
    request = {"dataset_name": dataset.name, "view": [], "filters": {}, "params": params}
    result = asyncio.run(execute_or_delegate_operator(uri, request))
    result.raise_exceptions()
    return result.result


def ask(uri: str, method: str, samples, **params):
    """Call a method of a panel; return its response and the operators that the App is to run."""
    executor = Executor()
    ctx = ExecutionContext(
        {"dataset_name": samples._root_dataset.name, "params": {"panel_id": "here", **params}},
        executor=executor,
        operator_uri=uri,
    )
    ctx.request_params["view"] = samples.view()._serialize()
    answer = getattr(foo.get_operator(uri), method)(ctx)
    return answer, [request.operator_uri for request in executor._requests]
