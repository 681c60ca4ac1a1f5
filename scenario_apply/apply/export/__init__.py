"""Export of remote models: reads them in few requests, downloads their pictures and writes their captions into files.

Nothing is written on the service, and nothing over a file that exists. Read remote_models.py, then pictures.py.
"""
