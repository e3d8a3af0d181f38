"""Questions and their answers: who gets which, and that no answer is kept that nobody waits for."""

from __future__ import annotations

from flannelscope.questions import PASSPHRASE, Answer, Question, Questions

SECRET = "hunter2-hunter2"


def never() -> bool:
    return False


def asked(questions: Questions) -> Question:
    return questions.new(PASSPHRASE, "~/.ssh/id", "Passphrase?", secret=True)


def test_each_question_gets_its_own_answer_in_whatever_order_they_come() -> None:
    questions = Questions()
    first, second = asked(questions), asked(questions)
    questions.hear(Answer(second.id, "two"))
    questions.hear(Answer(first.id, "one"))

    assert (questions.wait(first, never), questions.wait(second, never)) == ("one", "two")


def test_an_answer_that_comes_too_late_is_kept_nowhere() -> None:
    """It is typed into a dialog that is still open, and is a secret."""
    questions = Questions(patience=0.0)
    question = asked(questions)
    assert questions.wait(question, never) is None
    questions.hear(Answer(question.id, SECRET))

    assert questions.answers.empty()


def test_what_came_in_between_is_forgotten_with_its_question() -> None:
    questions = Questions(patience=0.0)
    question, other = asked(questions), asked(questions)
    questions.hear(Answer(question.id, SECRET))
    questions.hear(Answer(other.id, "for the other"))
    assert questions.wait(question, never) is None

    questions.patience = 10.0
    assert questions.wait(other, never) == "for the other"
    assert questions.answers.empty()


def test_questions_of_two_engines_have_nothing_in_common() -> None:
    """After an engine crashed, the answer to a dialog of the old one must not give leave to the new one."""
    old, new = Questions(), Questions(patience=0.0)
    question = asked(new)
    new.hear(Answer(asked(old).id, "yes"))

    assert new.wait(question, never) is None


def test_who_showed_a_question_hears_that_it_no_longer_waits() -> None:
    gone: list[str] = []
    questions = Questions(patience=0.0, withdrawn=gone.append)
    question = asked(questions)
    questions.wait(question, never)
    assert gone == [question.id]


def test_a_question_that_was_answered_is_not_withdrawn() -> None:
    gone: list[str] = []
    questions = Questions(withdrawn=gone.append)
    for text in ("yes", None):
        question = asked(questions)
        questions.hear(Answer(question.id, text))
        assert questions.wait(question, never) == text
    assert gone == []
