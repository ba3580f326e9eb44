"""A class that is graded without rights. No run of all tests finds this file: test_ordinary_user.py names it."""

from classroom import POINTS, SHEET, given_out, hand_in, honest, hostile, require_a_jail

from instructor.exercise_sheet import Sheet
from instructor.grading import grade
from instructor.records import kept_marks
from instructor.submission import Limits

require_a_jail()
# They go for files, processes, memory, the network and namespaces: a user's rights say what can be had of these.
FOR_RIGHTS = {
    "looks-for-the-master", "rewrites-the-gradebook", "kills-everything", "forks-without-end", "fills-memory",
    "hides-memory", "phones-home", "leaves-its-namespace",
}  # fmt: skip


def test_everybody_gets_the_marks_they_earned(tmp_path):
    sheet, (course, released) = Sheet(SHEET), given_out(tmp_path)
    attacks = [submission for submission in hostile(released) if submission.student in FOR_RIGHTS]
    assert len(attacks) == len(FOR_RIGHTS)
    class_ = honest(released, 2) + attacks
    hand_in(course.root, class_)
    assert grade(course, sheet, limits=Limits(cell=2, total=60)) == []
    for student, _, points, _ in class_:
        results = kept_marks(course, sheet, student).results
        assert {result.name: result.points for result in results if result.name in POINTS} == points
        assert course.feedback(sheet, student).exists()
    assert course.report(sheet).exists() and course.table(sheet).exists()
