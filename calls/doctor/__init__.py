"""The doctor: is this FreeSWITCH fit for transfers? It asks, makes one test leg of its own, and changes nothing.

findings.py, replies.py, dialplan.py, judge.py are pure; exam.py and leg.py hold the Event Socket, echo.py is the web
process's end of the test leg's audio, installation.py reads the database.
"""
