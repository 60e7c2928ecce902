"""Recording: an LMS's answers as a case, without secrets and real people.

`record` asks an LMS, `clean` takes somebody's HAR file. Both walk over everything twice: first everybody is collected,
then everything is replaced, consistently; what was written is replayed, compared and looked through before it is kept.
"""
