"""Trains a model for Fairlead with scikit-learn and writes it as ONNX.

    python train.py ROWS.ndjson MODEL.onnx

The contract that the file keeps is told in docs/guide/models.md. Nothing here is special to the estimators: any that
skl2onnx converts to the operators that Fairlead allows will do.
"""

import hashlib
import json
import sys

import numpy as np
from onnx import TensorProto, compose, helper
from skl2onnx import to_onnx
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

SEED = 7
GOLDEN_ROWS = 16


def read_rows(path):
    """The schema of the header, and the rows in the order of their time."""
    with open(path, encoding="utf-8") as file:
        schema = json.loads(next(file))["schema"]
        rows = [json.loads(line) for line in file if line.strip()]
    rows.sort(key=lambda row: row["at"])
    features = np.array([row["features"] for row in rows], dtype=np.float32)
    failed = np.array([row["failed"] for row in rows])
    # the time of a failure is no latency: what stands there is never used
    latency = np.array([0.0 if row["failed"] else row["ms"] for row in rows])
    log_ms = np.log(np.maximum(latency, 1e-3))
    weight = np.array([row["weight"] for row in rows])
    return schema, features, failed, log_ms, weight, [row["at"] for row in rows]


def without_prefix_clash(model, prefix):
    """A converted estimator whose names cannot meet those of another; its input stays `features`."""
    renamed = compose.add_prefix(model, prefix, rename_inputs=False)
    renamed.graph.name = prefix
    return renamed.graph


def join(mean, q95, fail, columns):
    """One graph of three: `features` [N, columns] -> `scores` [N, 3]."""
    graphs = [without_prefix_clash(model, name) for model, name in ((mean, "mean_"), (q95, "q95_"), (fail, "fail_"))]
    nodes = [node for graph in graphs for node in graph.node]
    initializers = [tensor for graph in graphs for tensor in graph.initializer]
    # the classifier tells both probabilities; the failure is the second
    initializers.append(helper.make_tensor("second", TensorProto.INT64, [1], [1]))
    nodes.append(helper.make_node("Gather", [graphs[2].output[1].name, "second"], ["p_fail"], axis=1))
    latencies = [graph.output[0].name for graph in graphs[:2]]
    nodes.append(helper.make_node("Concat", [*latencies, "p_fail"], ["scores"], axis=1))
    graph = helper.make_graph(
        nodes,
        "python-model",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", columns])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", 3])],
        initializers,
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="scikit-learn")


def main(data, out):
    schema, features, failed, log_ms, weight, times = read_rows(data)
    cut = int(len(features) * 0.8)
    train, test = slice(0, cut), slice(cut, None)
    succeeded = ~failed[train]
    options = {"max_iter": 60, "max_depth": 5, "random_state": SEED}
    mean = HistGradientBoostingRegressor(**options)
    mean.fit(features[train][succeeded], log_ms[train][succeeded], weight[train][succeeded])
    q95 = HistGradientBoostingRegressor(loss="quantile", quantile=0.95, **options)
    q95.fit(features[train][succeeded], log_ms[train][succeeded], weight[train][succeeded])
    fail = HistGradientBoostingClassifier(**options)
    fail.fit(features[train], failed[train], weight[train])

    def predict(rows):
        return np.column_stack([mean.predict(rows), q95.predict(rows), fail.predict_proba(rows)[:, 1]])

    scores = predict(features[test])
    error = log_ms[test] - scores[:, 0]
    over = log_ms[test] - scores[:, 1]
    good = ~failed[test]
    metrics = {
        "logMae": float(np.mean(np.abs(error[good]))),
        "pinball": float(np.mean(np.maximum(0.95 * over, -0.05 * over)[good])),
        "coverage": float(np.mean(over[good] <= 0)),
    }
    golden = features[test][np.linspace(0, len(scores) - 1, GOLDEN_ROWS).astype(int)]
    metadata = {
        "contract": 1,
        "schema": schema,
        "window": [times[0], times[cut - 1]],
        "rows": cut,
        "seed": SEED,
        "metrics": metrics,
        "parent": None,
        "golden": {"features": golden.tolist(), "scores": predict(golden).tolist()},
    }

    def convert(estimator, **settings):
        sample = features[:1]
        wanted = {"": 17, "ai.onnx.ml": 3}
        return to_onnx(estimator, X=sample, initial_types=None, target_opset=wanted, options=settings or None)

    parts = [convert(mean), convert(q95), convert(fail, **{"zipmap": False})]
    for part in parts:
        rename_input(part)
    model = join(*parts, columns=features.shape[1])
    helper.set_model_props(model, {"fairlead": json.dumps(metadata)})
    blob = model.SerializeToString()
    with open(out, "wb") as file:
        file.write(blob)
    print(json.dumps({"sha256": hashlib.sha256(blob).hexdigest(), "bytes": len(blob), **metrics}))


def rename_input(model):
    """skl2onnx calls the input `X`."""
    (before,) = [tensor.name for tensor in model.graph.input]
    for node in model.graph.node:
        for i, name in enumerate(node.input):
            if name == before:
                node.input[i] = "features"
    model.graph.input[0].name = "features"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python train.py ROWS.ndjson MODEL.onnx")
    main(sys.argv[1], sys.argv[2])
