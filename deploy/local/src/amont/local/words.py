"""What codes mean, in words: for the demo's table and its pages. A code that is not here is shown as it is."""

REFUSALS = {
    "already-enrolled": "enrolled already",
    "band-too-high": "too senior to mentor",
    "band-too-low": "too junior to be mentored",
    "charter-not-accepted": "charter not accepted",
    "joined-too-recently": "too new in the group",
    "not-active": "not in the group",
    "not-found": "not known",
    "on-leave": "on leave",
    "other-role-taken": "in the other role already",
    "too-few-hours": "too few hours",
}

RULES_FOR_A_MENTEE = {
    "mentor_is_junior": "are not junior enough",
    "outside_the_line": "are in the same line of management",
    "different_team": "work in the same team",
    "across": "work in the same subsidiary",
    "shared_language": "share no language",
    "close_zones": "live too many time zones away",
    "common_hours": "have no two hours a week in common",
    "not_forbidden": "were a pair before",
}
RULES_FOR_A_MENTOR = RULES_FOR_A_MENTEE | {"mentor_is_junior": "are not senior enough"}
"""Why the people of the other role were out of the question."""

SUSPENDED = {
    "line-conflict": "one now works in the other's line of management",
    "on-leave": "one of the two is on leave",
    "rule-broken": "a rule of the programme no longer holds",
}

ENDED = {
    "completed": "every planned session was held",
    "declined": "one of the two said no",
    "expired": "nobody answered in time",
    "withdrawn": "one of the two withdrew",
    "left": "one of the two left the group",
    "line-conflict": "one works in the other's line of management",
    "rule-broken": "a rule of the programme no longer holds",
    "no-fault": "it was ended without fault",
}

CRITERIA = {
    "topics": "Topics wished and offered",
    "function": "Another function",
    "hours": "Hours in common",
    "grade_gap": "Distance in grade",
    "meeting": "How to meet",
}
