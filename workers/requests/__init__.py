"""What a request of each form may hold, and how it becomes the work of a job: for the API and for lines of batches."""
