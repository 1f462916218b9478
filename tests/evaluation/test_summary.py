"""An evaluation as JSON and as a table holds each value under its name."""

import csv
import io
import json

from mmmsba_plugin.evaluation.summary import to_dict, write_csv

from . import test_evaluate
from .test_evaluate import CLIPS, PERFECT, evaluate, report


class TestSummary:
    def test_json_has_the_metrics_where_the_fields_evaluators_have_them(self):
        summary = to_dict(evaluate(*PERFECT, tious=(0.5,), num_proposals=(10,)))
        assert summary["ap"] == {"0.5": 1.0}
        assert summary["ar"] == {"10": 1.0}
        assert summary["detection"]["auc"] == 1.0
        assert summary["intervals"]["ap@0.5"] == [1.0, 1.0]
        assert json.loads(json.dumps(summary, allow_nan=False)) == summary

    def test_what_is_not_defined_is_null_in_json_and_empty_in_a_table(self):
        evaluation = evaluate(report("a.mp4", 0.9), records=CLIPS[:1])
        assert to_dict(evaluation)["detection"]["auc"] is None
        out = io.StringIO()
        write_csv([evaluation], out)
        rows = list(csv.DictReader(io.StringIO(out.getvalue())))
        [auc] = [row for row in rows if row["measure"] == "auc"]
        assert (auc["system"], auc["group"], auc["value"], auc["low"]) == ("ours", "all", "", "")

    def test_a_table_has_a_row_for_each_metric_of_each_group(self):
        groups = test_evaluate.TestGroups
        evaluation = evaluate(*groups.REPORTS, records=groups.CLIPS)
        out = io.StringIO()
        write_csv([evaluation], out)
        rows = list(csv.DictReader(io.StringIO(out.getvalue())))
        assert len(rows) == len(evaluation.intervals) + sum(
            len(g.intervals) for g in evaluation.groups.values()
        )
