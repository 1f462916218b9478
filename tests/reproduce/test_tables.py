"""The paper's tables as it reports them, and the marks at its contradictions."""

import pytest

from mmmsba_plugin.reproduce import tables


def column(rows, measure):
    return [row.cells[measure].value if measure in row.cells else None for row in rows]


class TestReportedValues:
    """Transcribed a second time, by column where the package has rows."""

    @pytest.mark.parametrize(
        ("rows", "columns"),
        [
            (
                tables.TABLE_2,
                {
                    "auc": [0.989, 0.909, 0.958, 0.942],
                    "partial_auc": [0.977, 0.884, 0.938, 0.920],
                    "eer": [0.029, 0.178, 0.078, 0.126],
                    "accuracy": [0.979, 0.821, 0.932, 0.947],
                    "true_positive_rate": [0.965, 0.893, 0.912, 0.927],
                    "false_positive_rate": [0.039, 0.249, 0.081, 0.093],
                },
            ),
            (
                tables.TABLE_3,
                {
                    "auc": [0.979, 0.955, 0.968, 0.932],
                    "partial_auc": [0.962, 0.935, 0.952, 0.912],
                    "eer": [0.051, 0.088, 0.068, 0.118],
                    "accuracy": [0.968, 0.947, 0.956, 0.913],
                    "true_positive_rate": [0.954, 0.938, 0.941, 0.890],
                    "false_positive_rate": [0.062, 0.108, 0.074, 0.145],
                },
            ),
            (
                tables.TABLE_4,
                {
                    "auc": [
                        *(0.973, 0.968, 0.946, 0.942, 0.978, 0.965),
                        *(0.954, 0.929, 0.944, 0.925, 0.989),
                    ],
                    "accuracy": [
                        *(0.962, None, 0.850, 0.945, 0.965, 0.948),
                        *(0.960, None, None, None, 0.979),
                    ],
                },
            ),
            (
                tables.TABLE_6,
                {
                    "auc": [0.989, 0.977, 0.989],
                    "partial_auc": [0.978, 0.956, 0.977],
                    "eer": [0.033, 0.045, 0.029],
                    "accuracy": [0.979, 0.965, 0.979],
                    "true_positive_rate": [0.963, 0.943, 0.965],
                    "false_positive_rate": [0.039, 0.051, 0.039],
                },
            ),
            (
                tables.TABLE_7,
                {
                    "auc": [0.955, 0.814, 0.924, 0.989],
                    "partial_auc": [0.941, 0.798, 0.907, 0.978],
                    "eer": [0.074, 0.263, 0.175, 0.033],
                    "accuracy": [0.939, 0.736, 0.823, 0.979],
                    "true_positive_rate": [0.922, 0.818, 0.931, 0.963],
                    "false_positive_rate": [0.095, 0.345, 0.282, 0.039],
                },
            ),
        ],
        ids=["table2", "table3", "table4", "table6", "table7"],
    )
    def test_detection_is_as_the_paper_has_it(self, rows, columns):
        assert {measure: column(rows, measure) for measure in columns} == columns

    @pytest.mark.parametrize(
        ("measure", "percent"),
        [
            (
                "ap@0.5",
                [
                    *(6.23, 36.08, 44.42, 51.64, 62.75),
                    *(12.96, 85.23, 96.30, 97.56),
                    *(23.08, 86.27, 76.90, 88.68, 96.87),
                ],
            ),
            (
                "ap@0.75",
                [
                    *(0.08, 12.01, 13.64, 28.07, 35.87),
                    *(0.97, 59.05, 84.96, 95.25),
                    *(8.45, 83.03, 38.50, 84.70, 81.33),
                ],
            ),
            (
                "ap@0.95",
                [
                    *(0.00, 0.16, 0.03, 1.58, 18.37),
                    *(0.00, 0.93, 4.44, 39.02),
                    *(5.32, 28.17, 0.25, 62.43, 28.43),
                ],
            ),
            (
                "ar@10",
                [
                    *(11.45, 26.60, 34.67, 42.09, 54.28),
                    *(18.79, 76.93, 78.75, 89.42),
                    *(17.16, 84.82, 66.90, 87.09, 88.61),
                ],
            ),
            (
                "ar@20",
                [
                    *(15.79, 27.00, 40.37, 43.45, 55.94),
                    *(21.67, 77.19, 79.40, 95.93),
                    *(23.47, 85.77, 64.08, 88.21, 87.83),
                ],
            ),
            (
                "ar@50",
                [
                    *(23.75, 27.11, 48.86, 48.86, 57.49),
                    *(30.54, 77.23, 80.48, 93.45),
                    *(43.98, 88.10, 60.77, 90.43, 90.47),
                ],
            ),
            (
                "ar@100",
                [
                    *(31.71, None, None, None, 59.66),
                    *(38.12, 77.23, 81.62, 94.05),
                    *(45.18, 88.49, 58.42, 91.16, 92.91),
                ],
            ),
        ],
    )
    def test_localization_is_as_the_paper_has_it(self, measure, percent):
        shares = [None if value is None else pytest.approx(value / 100) for value in percent]
        assert column(tables.TABLE_5, measure) == shares

    def test_the_paper_s_own_averages_come_out(self):
        # Its text: within a dataset .984 and .973, across datasets .944 and .919.
        within = [tables.TABLE_2[0], tables.TABLE_3[0]]
        across = [*tables.TABLE_2[1:], *tables.TABLE_3[1:]]
        for rows, auc, accuracy in ((within, 0.984, 0.973), (across, 0.944, 0.919)):
            for measure, mean in (("auc", auc), ("accuracy", accuracy)):
                values = column(rows, measure)
                assert sum(values) / len(values) == pytest.approx(mean, abs=6e-4)


class TestMarks:
    DETECTION = (*tables.TABLE_2, *tables.TABLE_3, *tables.TABLE_6, *tables.TABLE_7)

    def marked(self, rows, measure, reason):
        return [
            (row.test, row.method)
            for row in rows
            if measure in row.cells and reason in row.cells[measure].marks
        ]

    def test_accuracy_lies_outside_both_rates_in_twelve_of_fifteen_rows(self):
        assert len(self.DETECTION) == 15
        assert len(self.marked(self.DETECTION, "accuracy", tables.ACCURACY_OUTSIDE)) == 12

    def test_no_roc_curve_fits_eight_of_fifteen_rows(self):
        assert len(self.marked(self.DETECTION, "eer", tables.EER_UNREACHABLE)) == 8

    def test_rows_that_agree_with_themselves_have_no_mark(self):
        learned_elsewhere = [row for row in tables.TABLE_7 if row.method == "L+A"]
        assert not any(cell.marks for row in learned_elsewhere for cell in row.cells.values())

    def test_recall_that_falls_is_marked_on_both_sides_of_the_fall(self):
        falls = {
            measure: self.marked(tables.TABLE_5, measure, tables.RECALL_FALLS)
            for measure in ("ar@10", "ar@20", "ar@50", "ar@100")
        }
        lavdf, tvil, reversed_row = ("lav-df", "MMMS-BA"), ("tvil", "MMMS-BA"), ("tvil", "BA-TFD+")
        assert falls == {
            "ar@10": [reversed_row, tvil],
            "ar@20": [lavdf, reversed_row, tvil],
            "ar@50": [lavdf, reversed_row],
            "ar@100": [reversed_row],
        }

    @pytest.mark.parametrize(
        ("rows", "reason", "measure", "where"),
        [
            (tables.TABLE_2, tables.TEXT_DISAGREES, "accuracy", ("av-deepfake1m", "MMMS-BA")),
            (tables.TABLE_5, tables.REVERSED, "ap@0.5", ("tvil", "BA-TFD+")),
            (tables.TABLE_5, tables.COPIED_CELL, "ar@50", ("av-deepfake1m", "UMMAFormer")),
            (tables.TABLE_7, tables.NOT_THIS_TABLES, "eer", ("fakeavceleb", "V+L+A")),
        ],
    )
    def test_what_a_reader_saw_is_marked_where_it_is(self, rows, reason, measure, where):
        assert self.marked(rows, measure, reason) == [where]

    def test_table_7_repeats_a_row_of_table_6_that_is_not_its_own(self):
        last = [cell.value for cell in tables.TABLE_7[3].cells.values()]
        of_table_6 = {
            row.method: [cell.value for cell in row.cells.values()] for row in tables.TABLE_6
        }
        assert last == of_table_6["MMUS-SA"] != of_table_6["MMMS-BA"]

    def test_a_doubtful_row_of_table_5_says_why(self):
        noted = {(row.test, row.method): row.notes for row in tables.TABLE_5}
        assert noted["av-deepfake1m", "MMMS-BA"] == ()
        assert noted["av-deepfake1m", "BA-TFD+"] == (tables.OTHER_TEST,)
        assert noted["lav-df", "MMMS-BA"] == noted["tvil", "Enc-Dec"] == (tables.TRAINED_ON_WHAT,)
        assert noted["lav-df", "BA-TFD+"] == (tables.IN_DOMAIN,)
