"""Dead letters for people: what a letter is (`letter`), how one is written (`parking`), what may be done with it (`commands`), and how it is taken
up again (`replaying`), and who is named in one (`naming`).
"""
