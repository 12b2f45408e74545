"""The addresses of campaigns and their runs, under /campaigns/."""

from django.urls import path

from crm.staff.campaigns import campaign_list, campaign_page, composer, recipients, run_page

urlpatterns = [
    path("", campaign_list.campaign_list, name="campaign_list"),
    path("new/", campaign_list.create_campaign, name="create_campaign"),
    path("<uuid:campaign>/", campaign_page.campaign_detail, name="campaign_detail"),
    path("<uuid:campaign>/plan/", composer.plan, name="campaign_plan"),
    path("<uuid:campaign>/plan/save/", composer.save_plan, name="save_plan"),
    path("<uuid:campaign>/plan/preflight/", composer.preflight, name="campaign_preflight"),
    path("<uuid:campaign>/plan/submit/", composer.submit_text, name="submit_text"),
    path("<uuid:campaign>/plan/approve/", composer.approve_text, name="approve_text"),
    path("<uuid:campaign>/plan/ask/", composer.ask_launch, name="ask_launch"),
    path("<uuid:campaign>/launch/", composer.launch, name="launch_campaign"),
    path("<uuid:campaign>/pause/", campaign_page.pause_campaign, name="pause_campaign"),
    path("<uuid:campaign>/resume/", campaign_page.resume_campaign, name="resume_campaign"),
    path("<uuid:campaign>/copy/", campaign_page.copy_campaign, name="copy_campaign"),
    path("runs/<uuid:run>/", run_page.run_detail, name="run_detail"),
    path("runs/<uuid:run>/progress/", run_page.run_progress, name="run_progress"),
    path("runs/<uuid:run>/stop/ask/", run_page.ask_stop, name="ask_stop"),
    path("runs/<uuid:run>/stop/", run_page.stop_run, name="stop_run"),
    path("runs/<uuid:run>/recipients/", recipients.run_recipients, name="run_recipients"),
    path("runs/<uuid:run>/recipients/export/", recipients.export_recipients, name="export_recipients"),
]
